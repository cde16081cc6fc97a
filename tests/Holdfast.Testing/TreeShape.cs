namespace Holdfast.Testing;

/// How large a generated tree is, and what it holds beside files.
public sealed record TreeShape
{
    /// One of everything, and some two hundred entries: about 25 MB of data.
    public static TreeShape Default { get; } = new();

    /// One of everything and little more, without large files.
    public static TreeShape Small { get; } =
        new() { Directories = 4, Files = 12, LargestFile = 65537, HugeSparseFile = false };

    /// Random directories.
    public int Directories { get; init; } = 20;

    /// Random entries that are no directories.
    public int Files { get; init; } = 120;

    /// In bytes.
    public int LargestFile { get; init; } = 3 * 1024 * 1024 + 1;

    /// One of each thing that is rare and easily forgotten.
    public bool Oddities { get; init; } = true;

    /// A directory whose path is longer than the kernel takes in one call.
    public bool DeepPath { get; init; } = true;

    /// A file of 5 GiB, of which ten bytes are data.
    public bool HugeSparseFile { get; init; } = true;

    public bool Sockets { get; init; } = true;

    /// Character and block devices, where allowed.
    public bool Devices { get; init; } = true;

    /// Other owners, where allowed.
    public bool Owners { get; init; } = true;

    public bool Xattrs { get; init; } = true;
}
