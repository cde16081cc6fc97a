using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Holdfast.Files;

namespace Holdfast.Testing;

/// A tree as it is on disk at one moment, read with plain system calls.
public sealed class TreeSnapshot
{
    private const int BlockBytes = 4096;

    // One for all files: as many large arrays as a tree has files would keep the collector busy.
    private readonly byte[] buffer = new byte[64 * BlockBytes];
    private readonly SortedDictionary<string, TreeEntry> entries = new(StringComparer.Ordinal);
    private readonly Dictionary<(ulong FileSystem, ulong Inode), List<string>> links = [];

    /// The entries by their path as people read it (<see cref="BytePath.Display"/>, one-to-one); the root is "".
    public IReadOnlyDictionary<string, TreeEntry> Entries => entries;

    public static TreeSnapshot Take(string root) => Take(Encoding.UTF8.GetBytes(root));

    public static TreeSnapshot Take(ReadOnlySpan<byte> root)
    {
        var snapshot = new TreeSnapshot();
        using PosixDirectory directory = PosixDirectory.Open(root);
        snapshot.Add(directory, "."u8.ToArray(), []);
        snapshot.ResolveHardLinks();
        return snapshot;
    }

    private void Add(PosixDirectory directory, byte[] name, byte[] path)
    {
        PosixStatus status = directory.Status(name);
        string key = BytePath.Display(path);
        var entry = new TreeEntry
        {
            Path = path,
            Kind = status.Kind,
            Mode = status.Mode,
            Uid = status.Uid,
            Gid = status.Gid,
            ModificationTime = status.ModificationTime,
            BlockBytes = status.BlockBytes,
            Xattrs = ReadXattrs(directory, name),
        };

        switch (status.Kind)
        {
            case NodeKind.Regular:
                entry = entry with { Size = status.Size, AllocatedBytes = status.AllocatedBytes };
                entry = ReadFile(directory, name, entry);
                break;
            case NodeKind.Symlink:
                entry = entry with { Target = directory.ReadLink(name) };
                break;
            case NodeKind.CharacterDevice or NodeKind.BlockDevice:
                entry = entry with { Device = $"{status.DeviceMajor}:{status.DeviceMinor}" };
                break;
            case NodeKind.Directory:
                entry = AddChildren(directory, name, entry);
                break;
        }

        entries.Add(key, entry);
        if (status.Kind == NodeKind.Directory || status.LinkCount < 2) return;
        if (!links.TryGetValue((status.FileSystem, status.Inode), out List<string>? group))
        {
            links.Add((status.FileSystem, status.Inode), group = []);
        }

        group.Add(key);
    }

    private TreeEntry AddChildren(PosixDirectory directory, byte[] name, TreeEntry entry)
    {
        try
        {
            using PosixDirectory child = directory.OpenDirectory(name);
            foreach (byte[] childName in child.List()) Add(child, childName, BytePath.Join(entry.Path, childName));
            return entry;
        }
        catch (PosixException denied) when (denied.Errno == PosixCalls.AccessDenied)
        {
            return entry with { Content = "unreadable" };
        }
    }

    private TreeEntry ReadFile(PosixDirectory directory, byte[] name, TreeEntry entry)
    {
        try
        {
            using PosixFile file = directory.OpenToRead(name);
            IReadOnlyList<(long Offset, long Length)> data = file.FindData();
            return entry with { DataBytes = data.Sum(extent => extent.Length), Content = Hash(file, data) };
        }
        catch (PosixException denied) when (denied.Errno == PosixCalls.AccessDenied)
        {
            return entry with { Content = "unreadable" };
        }
    }

    // The blocks that are not all zeros, each with its place: the same whether zeros are stored or lie in holes, and
    // quick for a file that is mostly hole.
    private string Hash(PosixFile file, IReadOnlyList<(long Offset, long Length)> data)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] place = new byte[sizeof(long)];
        long position = 0;
        foreach ((long offset, long length) in data)
        {
            position = Math.Max(position, offset / BlockBytes * BlockBytes);
            while (position < offset + length && file.Read(buffer, position) is var read and > 0)
            {
                for (int start = 0; start < read; start += BlockBytes)
                {
                    ReadOnlySpan<byte> content = buffer.AsSpan(start, Math.Min(BlockBytes, read - start));
                    if (!content.ContainsAnyExcept((byte)0)) continue;
                    BinaryPrimitives.WriteInt64LittleEndian(place, position + start);
                    hash.AppendData(place);
                    hash.AppendData(content);
                }

                position += buffer.Length;
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static SortedDictionary<string, string> ReadXattrs(PosixDirectory directory, byte[] name)
    {
        var xattrs = new SortedDictionary<string, string>(StringComparer.Ordinal);
        try
        {
            foreach ((byte[] attribute, byte[] value) in directory.Xattrs(name))
            {
                xattrs.Add(BytePath.Display(attribute), Convert.ToHexStringLower(value));
            }
        }
        catch (PosixException denied) when (denied.Errno == PosixCalls.AccessDenied)
        {
            xattrs.Add("unreadable", "");
        }

        return xattrs;
    }

    private void ResolveHardLinks()
    {
        foreach (List<string> group in links.Values.Where(group => group.Count > 1))
        {
            group.Sort(StringComparer.Ordinal);
            foreach (string key in group) entries[key] = entries[key] with { HardLinks = group };
        }
    }
}
