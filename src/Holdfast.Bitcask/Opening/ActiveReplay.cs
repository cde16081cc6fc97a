using Holdfast.Bitcask.Hints;
using Holdfast.Bitcask.Keydirs;
using Holdfast.Bitcask.Records;
using Holdfast.Log;

namespace Holdfast.Bitcask.Opening;

/// <summary>Collects the records of the active segment, which the log reads when it is opened.</summary>
internal sealed class ActiveReplay : IDisposable
{
    private HintBuilder? builder;
    private uint segment;
    private ulong seed;

    /// <summary>As <see cref="SegmentedLog.Open"/> wants it.</summary>
    public LogEntryHandler Begin(LogId id)
    {
        seed = id.High;
        return Add;
    }

    /// <summary>The hints of a segment: those collected, or none.</summary>
    public HintData Build(uint number)
    {
        if (builder is not null && segment == number) return builder.Build();
        using var empty = new HintBuilder(number);
        return empty.Build();
    }

    /// <summary>Gives away what was collected of a segment, so that more can be added as it is written on.</summary>
    public HintBuilder Take(uint number)
    {
        HintBuilder taken = builder is not null && segment == number ? builder : new HintBuilder(number);
        if (taken == builder) builder = null;
        return taken;
    }

    /// <summary>Adds the record of an entry.</summary>
    /// <returns>False when it is none.</returns>
    public static bool TryAdd(HintBuilder builder, ulong seed, LogPosition position, ReadOnlySpan<byte> payload)
    {
        if (!RecordHeader.TryDecode(payload, out RecordHeader header)) return false;
        ReadOnlySpan<byte> key = header.KeyOf(payload);
        builder.Add(header, KeyHash.Of(key, seed), key, position.Offset, LogSegment.FrameHeaderBytes + (uint)payload.Length);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => builder?.Dispose();

    private void Add(LogPosition position, ReadOnlySpan<byte> payload)
    {
        segment = position.Segment;
        builder ??= new HintBuilder(segment);
        // An entry that is no record tells nothing of any key.
        _ = TryAdd(builder, seed, position, payload);
    }
}
