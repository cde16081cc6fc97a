using System.Text;
using Holdfast.Files;

namespace Holdfast.Cli.Terminals;

/// <summary>Text to a stream; names that are not UTF-8 come out as the bytes that they are.</summary>
/// <param name="target">Where the bytes go; not closed by this writer.</param>
/// <param name="flushLines">Whether each line goes out at once, for a person who looks on.</param>
internal sealed class SurrogateEscapeWriter(Stream target, bool flushLines) : TextWriter
{
    private const int MaxBufferedChars = 16 * 1024;
    private readonly StringBuilder buffer = new();

    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value)
    {
        buffer.Append(value);
        FlushIfDue(value == '\n');
    }

    public override void Write(string? value)
    {
        buffer.Append(value);
        FlushIfDue(value is not null && value.Contains('\n', StringComparison.Ordinal));
    }

    public override void Write(ReadOnlySpan<char> buffer)
    {
        this.buffer.Append(buffer);
        FlushIfDue(buffer.Contains('\n'));
    }

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void WriteLine(string? value)
    {
        buffer.Append(value).Append('\n');
        FlushIfDue(lineEnded: true);
    }

    public override void Flush()
    {
        if (buffer.Length == 0) return;
        byte[] bytes = SurrogateEscape.Encode(buffer.ToString());

        // Emptied first: after a failed write a second flush, at exit, must not fail again.
        buffer.Clear();
        target.Write(bytes);
        target.Flush();
    }

    private void FlushIfDue(bool lineEnded)
    {
        bool endsWhole = buffer.Length > 0 && !char.IsHighSurrogate(buffer[^1]);
        if ((lineEnded && flushLines) || (buffer.Length >= MaxBufferedChars && endsWhole)) Flush();
    }
}
