using Holdfast.Files;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Exporting;

/// <summary>A record of an export. Layout and meaning: docs/formats/export.md, "Records".</summary>
internal abstract record ExportRecord;

/// <summary>What the export is of, and what it is laid over. The first record.</summary>
internal sealed record ManifestRecord : ExportRecord
{
    public required SessionId Point { get; init; }

    /// <summary>What it is laid over; none: an empty directory.</summary>
    public required SessionId Base { get; init; }

    public required UnixTime Time { get; init; }

    public required string Host { get; init; }

    public required string Program { get; init; }

    public required IReadOnlyList<ReadOnlyMemory<byte>> Roots { get; init; }
}

/// <summary>What makes the export a restore point again in another vault. Behind the manifest; who only applies needs none of it.</summary>
/// <param name="Point">The point, without tree and changes; its origin says where it was made.</param>
/// <param name="BaseOrigin">Where the point was made that it is laid over; null for none.</param>
/// <param name="IsDirectory">Of a point with one root: whether that is a directory.</param>
internal sealed record PointRecord(RestorePoint Point, PointOrigin? BaseOrigin, bool IsDirectory) : ExportRecord
{
    public PointOrigin Origin => Point.Origin!;
}

/// <summary>Paths that stay as they are: what is met from the step before up to a path.</summary>
/// <param name="Last">The last of them.</param>
/// <param name="Count">How many.</param>
/// <param name="Digest">Over their paths, kinds, sizes and times.</param>
internal sealed record UnchangedRecord(byte[] Last, long Count, byte[] Digest) : ExportRecord;

/// <summary>What is done at a path. The value is in the file.</summary>
internal enum StepAction : byte
{
    Invalid = 0,

    /// <summary>Make a directory; what else has the name goes first.</summary>
    MakeDirectory = 1,

    /// <summary>Nothing yet: a directory that goes when what is in it is gone.</summary>
    EnterDirectory = 2,

    /// <summary>Make a regular file of the content that follows.</summary>
    Write = 3,

    /// <summary>Set attributes.</summary>
    Attributes = 4,

    /// <summary>Make another name of a file.</summary>
    Link = 5,

    /// <summary>Make a symlink, pipe or device.</summary>
    CreateOther = 6,

    /// <summary>Remove a name that is no directory's.</summary>
    Delete = 7,

    /// <summary>Remove a directory, empty by now.</summary>
    DeleteDirectory = 8,

    /// <summary>Set a directory's attributes, last of all.</summary>
    FinishDirectory = 9,
}

/// <summary>What must be found at a path before it is changed.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Size">Of what is no directory.</param>
/// <param name="ModifyTime">Of what is no directory.</param>
/// <param name="Digest">Of a regular file whose content goes; else empty.</param>
/// <param name="Target">Of a symlink; else empty.</param>
internal sealed record KnownState(NodeKind Kind, long Size, UnixTime ModifyTime, byte[] Digest, byte[] Target)
{
    public bool IsDirectory => Kind == NodeKind.Directory;
}

/// <summary>Something to do at a path.</summary>
internal sealed record StepRecord(StepAction Action, byte[] Path) : ExportRecord
{
    /// <summary>What a person is told of it; none where only times of a directory are put right.</summary>
    public ChangeKind Change { get; init; }

    /// <summary>What is there before; null for nothing.</summary>
    public KnownState? Before { get; init; }

    /// <summary>What is there afterwards; null for nothing. Without content.</summary>
    public TreeEntry? After { get; init; }

    /// <summary>Of a link: the path of the file.</summary>
    public byte[] LinkPath { get; init; } = [];

    /// <summary>A directory that goes is dealt with after what is in it.</summary>
    public bool IsLeave => Action is StepAction.DeleteDirectory or StepAction.FinishDirectory
        || (Before is { IsDirectory: true } && Action is (StepAction.Write or StepAction.Link or StepAction.CreateOther));

    public StepPlace Place => new(Path, IsLeave);
}

/// <summary>Bytes of a file, several times in a row.</summary>
internal sealed record DataRecord(ReadOnlyMemory<byte> Data, long Repeats) : ExportRecord;

/// <summary>Bytes that the file has before, several times in a row.</summary>
internal sealed record CopyRecord(long Offset, long Length, long Repeats) : ExportRecord;

/// <summary>A hole of a file.</summary>
internal sealed record HoleRecord(long Length) : ExportRecord;

/// <summary>The content of a file is complete.</summary>
internal sealed record ContentEndRecord(byte[] Digest) : ExportRecord;

/// <summary>The last record.</summary>
/// <param name="Steps">How many there were.</param>
/// <param name="Bytes">Of all files that are written.</param>
internal sealed record EndRecord(long Steps, long Bytes) : ExportRecord;
