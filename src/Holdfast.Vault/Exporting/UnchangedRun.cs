using System.Security.Cryptography;
using Holdfast.Files;
using Holdfast.Vault.Bytes;

namespace Holdfast.Vault.Exporting;

/// <summary>
/// Gathers the paths that stay as they are, where an export is written and where it is applied. For one thread at a time.
/// </summary>
internal sealed class UnchangedRun : IDisposable
{
    /// <summary>A run is ended after so many paths, so that a difference can be told to within as many.</summary>
    public const int MaxPaths = 1024;

    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly ByteWriter item = new();

    public long Count { get; private set; }

    public byte[] First { get; private set; } = [];

    public byte[] Last { get; private set; } = [];

    /// <summary>Takes a path. Of a directory only its name counts: its time changes with what lies in it.</summary>
    public void Add(byte[] path, NodeKind kind, long size, UnixTime modifyTime)
    {
        item.Clear();
        item.ByteString(path);
        item.U8((byte)kind);
        if (kind != NodeKind.Directory)
        {
            item.Varint((ulong)size);
            item.SignedVarint(modifyTime.Seconds);
            item.Varint((ulong)modifyTime.Nanoseconds);
        }

        hash.AppendData(item.Written);
        if (Count++ == 0) First = path;
        Last = path;
    }

    /// <summary>Ends the run and begins the next.</summary>
    public byte[] Finish()
    {
        Count = 0;
        return hash.GetHashAndReset();
    }

    public void Dispose() => hash.Dispose();
}
