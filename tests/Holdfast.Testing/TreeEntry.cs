using Holdfast.Files;

namespace Holdfast.Testing;

/// Everything about one entry of a tree that a restore has to bring back.
public sealed record TreeEntry
{
    /// Relative to the root of the tree; empty for the root.
    public required byte[] Path { get; init; }

    public required NodeKind Kind { get; init; }

    public uint Mode { get; init; }

    public uint Uid { get; init; }

    public uint Gid { get; init; }

    public UnixTime ModificationTime { get; init; }

    /// Of a regular file.
    public long Size { get; init; }

    /// Hash in hex of what is not zeros in a regular file (with the size: of its content); "unreadable" when denied.
    public string Content { get; init; } = "";

    /// Bytes that lie in data extents of a regular file (SEEK_DATA).
    public long DataBytes { get; init; }

    /// Bytes that the file system gave to a regular file.
    public long AllocatedBytes { get; init; }

    public int BlockBytes { get; init; }

    /// Of a symbolic link.
    public byte[] Target { get; init; } = [];

    /// Of a device: "major:minor".
    public string Device { get; init; } = "";

    /// Names as <see cref="BytePath.Display"/> shows them, values in hex.
    public IReadOnlyDictionary<string, string> Xattrs { get; init; } = new Dictionary<string, string>();

    /// The paths within the tree that are this same node, itself among them; empty when there is no other.
    public IReadOnlyList<string> HardLinks { get; init; } = [];
}
