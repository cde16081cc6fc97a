using Holdfast.Files;

namespace Holdfast.Testing;

/// Changes a tree as people and programs do, and as they seldom do.
internal sealed class TreeMutator(PosixDirectory root, Random random)
{
    private readonly TreeAttributes attributes = new(random, TreeShape.Default);
    private readonly List<string> log = [];
    private List<(byte[] Path, NodeKind Kind)> entries = [];

    public IReadOnlyList<string> Change(int count)
    {
        // An attempt may find nothing it can do: not allowed here, or no entry of the kind it needs.
        for (int attempt = 0; log.Count < count && attempt < 20 * count; attempt++)
        {
            entries = [];
            List(root, []);
            if (entries.Count == 0) break;
            (byte[] path, NodeKind kind) = entries[random.Next(entries.Count)];
            byte[] name = BytePath.FileName(path).ToArray();
            string? done = null;
            TreeAttributes.Try(() =>
            {
                using PosixDirectory directory = root.OpenBelow(path.AsSpan(..^name.Length));
                done = ChangeOne(directory, name, kind);
            });
            if (done != null) log.Add($"{BytePath.Display(path)}: {done}");
        }

        return log;
    }

    private string? ChangeOne(PosixDirectory directory, byte[] name, NodeKind kind)
    {
        switch (random.Next(16))
        {
            case 0:
                directory.Delete(name);
                return "deleted";
            case 1:
                return Rename(directory, name, kind);
            case 2:
                return ChangeKind(directory, name, kind);
            case 3 when kind != NodeKind.Symlink:
                directory.SetMode(name, attributes.NextMode(kind));
                return "mode";
            case 4:
                attributes.SetOwner(directory, name);
                return "owner";
            case 5:
                directory.SetModificationTime(name, attributes.NextTime());
                return "time";
            case 6:
                attributes.SetXattr(directory, name, kind);
                return "attribute set";
            case 7 when directory.Xattrs(name) is { Count: > 0 } xattrs:
                directory.RemoveXattr(name, xattrs[random.Next(xattrs.Count)].Name);
                return "attribute removed";
            case 8 when kind != NodeKind.Directory:
                directory.Link(TreeNames.Next(random, directory), directory, name);
                return "linked";
            case 9:
                return AddBeside(directory);
            case >= 10 when kind == NodeKind.Regular:
                return ChangeContent(directory, name);
            default:
                return null;
        }
    }

    private string? ChangeContent(PosixDirectory directory, byte[] name)
    {
        PosixStatus before = directory.Status(name);
        long size = before.Size;
        byte[] data = new byte[random.Next(1, 5000)];
        random.NextBytes(data);
        using PosixFile file = directory.OpenToWrite(name);
        switch (random.Next(6))
        {
            case 0:
                file.Write(data, size);
                return "appended";
            case 1 when size > 0:
                file.SetLength(random.NextInt64(size));
                return "truncated";
            case 2:
                file.SetLength(size + random.Next(1, 100_000));
                return "grown by a hole";
            case 3 when size > 8192:
                file.Punch(random.NextInt64(size / 2), Math.Min(size / 4, 1 << 20));
                return "hole punched";
            case 4 when size > data.Length:
                file.Write(data, random.NextInt64(size - data.Length));
                directory.SetModificationTime(name, before.ModificationTime);
                return "modified in place, time put back";
            case >= 4 when size > data.Length:
                file.Write(data, random.NextInt64(size - data.Length));
                return "modified in place";
            default:
                return null;
        }
    }

    private string Rename(PosixDirectory directory, byte[] name, NodeKind kind)
    {
        // A directory stays where it is: it cannot go into itself.
        var directories = entries.Where(entry => entry.Kind == NodeKind.Directory);
        List<byte[]> places = [[], .. directories.Select(entry => entry.Path)];
        using PosixDirectory place = kind == NodeKind.Directory
            ? directory.OpenBelow([])
            : root.OpenBelow(places[random.Next(places.Count)]);
        byte[] newName = TreeNames.Next(random, place);
        directory.Rename(name, place, newName);
        return $"renamed to {BytePath.Display(newName)}";
    }

    private string ChangeKind(PosixDirectory directory, byte[] name, NodeKind kind)
    {
        directory.Delete(name);
        switch (random.Next(4))
        {
            case 0 when kind != NodeKind.Directory:
                directory.CreateDirectory(name);
                using (PosixDirectory child = directory.OpenDirectory(name)) AddBeside(child);
                return "now a directory";
            case 1 when kind != NodeKind.Symlink:
                directory.CreateSymlink(name, "../elsewhere"u8);
                return "now a symlink";
            case 2 when kind != NodeKind.Fifo:
                directory.CreateSpecial(name, NodeKind.Fifo);
                return "now a fifo";
            default:
                WriteFile(directory, name);
                return kind == NodeKind.Regular ? "replaced" : "now a file";
        }
    }

    private string AddBeside(PosixDirectory directory)
    {
        byte[] name = TreeNames.Next(random, directory);
        WriteFile(directory, name);
        return $"beside it {BytePath.Display(name)} added";
    }

    private void WriteFile(PosixDirectory directory, byte[] name)
    {
        using PosixFile file = directory.CreateFile(name);
        file.Write(TreeContent.Next(random, TreeContent.NextSize(random, 300_000)), 0);
    }

    private void List(PosixDirectory directory, byte[] path)
    {
        foreach (byte[] name in directory.List())
        {
            byte[] child = BytePath.Join(path, name);
            NodeKind kind = directory.Status(name).Kind;
            entries.Add((child, kind));
            if (kind != NodeKind.Directory) continue;
            TreeAttributes.Try(() =>
            {
                using PosixDirectory opened = directory.OpenDirectory(name);
                List(opened, child);
            });
        }
    }
}
