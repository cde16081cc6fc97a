using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Holdfast.Cli.Terminals;
using Holdfast.Log;
using Holdfast.Vault;

namespace Holdfast.Cli.Output;

/// <summary>How a run speaks.</summary>
/// <param name="Json">JSON alone on standard output.</param>
/// <param name="Quiet">Errors only.</param>
/// <param name="Verbose">Each item.</param>
/// <param name="Color">Colours where a terminal is looked at.</param>
internal sealed record OutputStyle(bool Json, bool Quiet, bool Verbose, bool Color);

/// <summary>Where results, notices and errors of a run go: people get lines, programs get JSON.</summary>
/// <remarks>
/// Results go to standard output; notices, errors and progress to standard error. With <c>--json</c> everything goes to
/// standard output as JSON lines, except that a query writes one document. May be used from any thread.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "The progress display belongs to the verb that asked for it.")]
internal sealed class CommandOutput(
    OutputStyle style, TextWriter output, TextWriter error, Terminal terminal, TimeProvider clock)
{
    private const string Bold = "\e[1m";
    private const string Red = "\e[31m";
    private const string Yellow = "\e[33m";
    private const string Plain = "\e[0m";

    private static readonly JsonWriterOptions JsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Lock gate = new();
    private readonly ArrayBufferWriter<byte> json = new();
    private ProgressDisplay? progress;

    /// <summary>JSON is asked for.</summary>
    public bool Json => style.Json;

    /// <summary>With <c>--json</c> standard output holds one document: what else is to be said goes to standard error.</summary>
    public bool WritesDocument { get; init; }

    /// <summary>Only errors are asked for.</summary>
    public bool Quiet => style.Quiet;

    /// <summary>Each item is asked for.</summary>
    public bool Verbose => style.Verbose;

    /// <summary>The local zone, for times that people read.</summary>
    public TimeZoneInfo Zone => clock.LocalTimeZone;

    /// <summary>The width of the terminal, or 80.</summary>
    public int Columns => terminal.Columns();

    /// <summary>A name as standard output takes it: without control characters on a terminal, byte for byte elsewhere.</summary>
    public string Shown(string name) => terminal.OutputIsTerminal ? TerminalText.Escape(name) : name;

    /// <summary>A line of a result for people. Nothing with <c>--json</c>.</summary>
    public void Line(string line)
    {
        if (Json) return;
        lock (gate)
        {
            HideProgress();
            output.WriteLine(line);
        }
    }

    /// <summary>A line of a result that ends with something else than a line feed, such as NUL; written as it is.</summary>
    public void Text(string text)
    {
        if (Json) return;
        lock (gate)
        {
            HideProgress();
            output.Write(text);
        }
    }

    /// <summary>The heading of a result.</summary>
    public void Heading(string line) => Line(style.Color && terminal.OutputIsTerminal ? Bold + line + Plain : line);

    /// <summary>A line of a summary: as <see cref="Line"/>, but not with <c>--quiet</c>.</summary>
    public void SummaryLine(string line)
    {
        if (!Quiet) Line(line);
    }

    /// <summary>A line about one item: only with <c>--verbose</c>.</summary>
    public void Detail(string line)
    {
        if (Verbose) Line(line);
    }

    /// <summary>Something to know that is no error.</summary>
    public void Notice(string message)
    {
        if (Json && !WritesDocument) Record("notice", message, static (writer, text) => JsonNames.WriteText(writer, "message", text));
        else if (!Quiet) Complain(Yellow, "notice: ", message, null);
    }

    /// <summary>One item could not be read or written; the run goes on, and its progress counts it.</summary>
    public void ItemError(string path, string message)
    {
        if (Json && !WritesDocument)
        {
            Record("error", (path, message), static (writer, item) =>
            {
                JsonNames.WritePath(writer, item.path);
                JsonNames.WriteText(writer, "message", item.message);
            });
        }
        else
        {
            Complain(Red, "", $"{path}: {message}", null);
        }
    }

    /// <summary>Something fails its check; the run goes on without it.</summary>
    public void Damage(string message)
    {
        if (Json && !WritesDocument) Record("damage", message, static (writer, text) => JsonNames.WriteText(writer, "message", text));
        else Complain(Red, "damage: ", message, null);
    }

    /// <summary>The run failed.</summary>
    /// <param name="code">The exit code.</param>
    /// <param name="kind">Its name in JSON.</param>
    /// <param name="message">What is wrong, in one line.</param>
    /// <param name="hint">What to do, in one line.</param>
    public void Failure(int code, string kind, string message, string? hint)
    {
        if (!Json)
        {
            Complain(Red, "", message, hint);
            return;
        }

        Record("error", (code, kind, message, hint), static (writer, failure) =>
        {
            writer.WriteNumber("code", failure.code);
            writer.WriteString("kind", failure.kind);
            JsonNames.WriteText(writer, "message", failure.message);
            if (failure.hint is null) writer.WriteNull("hint");
            else JsonNames.WriteText(writer, "hint", failure.hint);
        });
    }

    /// <summary>The run failed.</summary>
    public void Failure(HoldfastException failure) =>
        Failure(ExitCodes.Of(failure.Kind), ExitCodes.NameOf(failure.Kind), failure.Message, failure.Hint);

    /// <summary>A line of JSON with <c>"type"</c>; nothing without <c>--json</c>.</summary>
    /// <param name="type"><c>status</c>, <c>notice</c>, <c>error</c> or <c>summary</c>, or what the verb names.</param>
    /// <param name="content">What <paramref name="write"/> is given.</param>
    /// <param name="write">Writes the other properties.</param>
    /// <param name="flush">Whether it goes out at once; not for lines that come by the million.</param>
    public void Record<T>(string type, T content, Action<Utf8JsonWriter, T> write, bool flush = true)
    {
        if (!Json) return;
        lock (gate)
        {
            json.ResetWrittenCount();
            using (var writer = new Utf8JsonWriter(json, JsonOptions))
            {
                writer.WriteStartObject();
                writer.WriteString("type", type);
                write(writer, content);
                writer.WriteEndObject();
            }

            output.WriteLine(Encoding.UTF8.GetString(json.WrittenSpan));
            if (flush) output.Flush();
        }
    }

    /// <summary>The one JSON document of a query; nothing without <c>--json</c>.</summary>
    public void Document<T>(T content, Action<Utf8JsonWriter, T> write)
    {
        if (!Json) return;
        lock (gate) output.WriteLine(Render(content, write));
    }

    /// <summary>Begins a JSON array of any length.</summary>
    public JsonArray BeginArray() => new(this);

    /// <summary>Shows how work goes on until the result is disposed: on a terminal, or as JSON lines; else nothing.</summary>
    public ProgressDisplay ShowProgress(WorkProgress work)
    {
        ProgressForm form = Quiet ? ProgressForm.None
            : Json ? ProgressForm.Json
            : terminal.ErrorIsTerminal ? ProgressForm.Terminal : ProgressForm.None;
        progress = new ProgressDisplay(work, form, this, error, terminal.Columns, clock);
        return progress;
    }

    /// <summary>Everything that was written goes out.</summary>
    public void Flush()
    {
        lock (gate)
        {
            output.Flush();
            error.Flush();
        }
    }

    /// <summary>Runs under the lock of all output, for the progress display.</summary>
    internal void Exclusively(Action write)
    {
        lock (gate) write();
    }

    internal void EndProgress(ProgressDisplay ended)
    {
        if (progress == ended) progress = null;
    }

    internal static string Render<T>(T content, Action<Utf8JsonWriter, T> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, JsonOptions)) write(writer, content);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    internal void WriteRaw(string text)
    {
        lock (gate) output.Write(text);
    }

    private void Complain(string color, string prefix, string message, string? hint)
    {
        bool colored = style.Color && terminal.ErrorIsTerminal;
        string Shape(string text) => terminal.ErrorIsTerminal ? TerminalText.Escape(text) : OneLine(text);
        lock (gate)
        {
            progress?.Hide();

            // Results that came before stand before: the two streams often end in one place.
            output.Flush();
            string name = colored ? $"{color}holdfast:{Plain} " : "holdfast: ";
            error.WriteLine(name + prefix + Shape(message));
            if (hint is not null) error.WriteLine("  " + Shape(hint));
            error.Flush();
        }
    }

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");

    // The progress lines leave the terminal before something else is written there; the next tick draws them again.
    private void HideProgress()
    {
        if (terminal.OutputIsTerminal) progress?.Hide();
    }
}
