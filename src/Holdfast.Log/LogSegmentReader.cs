using Holdfast.Log.Segments;

namespace Holdfast.Log;

/// <summary>Reads the entries of one segment in order. For one thread at a time.</summary>
public sealed class LogSegmentReader : IDisposable
{
    private readonly SegmentScanner scanner;

    internal LogSegmentReader(SegmentScanner scanner) => this.scanner = scanner;

    /// <summary>Where the current entry lies.</summary>
    public LogPosition Position => scanner.Position;

    /// <summary>The current entry; valid until the next step.</summary>
    public ReadOnlySpan<byte> Payload => scanner.Payload;

    /// <summary>The damage that the last step met, if it did.</summary>
    public LogDamage? Damage { get; private set; }

    /// <summary>Goes on.</summary>
    /// <returns>True at an entry, or at damage (see <see cref="Damage"/>), which the next step skips; false at the end.</returns>
    public bool TryRead()
    {
        ScanStep step = scanner.Next();
        Damage = step == ScanStep.Damage ? scanner.Damage : null;
        return step != ScanStep.End;
    }

    /// <inheritdoc/>
    public void Dispose() => scanner.Dispose();
}
