using System.Text;
using Holdfast.Files;

namespace Holdfast.Testing;

/// Makes trees with everything that a file system allows, the same for the same seed, and changes them.
public static class TreeGenerator
{
    /// Fills an existing, empty directory.
    public static void Create(string root, int seed, TreeShape? shape = null) =>
        Create(Encoding.UTF8.GetBytes(root), seed, shape);

    /// Fills an existing, empty directory.
    public static void Create(ReadOnlySpan<byte> root, int seed, TreeShape? shape = null)
    {
        shape ??= TreeShape.Default;
        var random = new Random(seed);
        using PosixDirectory directory = PosixDirectory.Open(root);
        if (shape.Oddities) new TreeOddities(directory, random, shape).Create();
        new Filler(directory, random, shape).Fill();
    }

    /// Changes a tree at random places in random ways; returns what was done, for the message of a test that fails.
    public static IReadOnlyList<string> Mutate(string root, int seed, int changes = 40) =>
        Mutate(Encoding.UTF8.GetBytes(root), seed, changes);

    /// Changes a tree at random places in random ways; returns what was done, for the message of a test that fails.
    public static IReadOnlyList<string> Mutate(ReadOnlySpan<byte> root, int seed, int changes = 40)
    {
        using PosixDirectory directory = PosixDirectory.Open(root);
        return new TreeMutator(directory, new Random(seed)).Change(changes);
    }

    /// Removes a directory with all that is in it, whatever modes and however deep; nothing happens when it is not
    /// there.
    public static void Delete(string root)
    {
        byte[] path = BytePath.Normalize(Encoding.UTF8.GetBytes(Path.GetFullPath(root)));
        ReadOnlySpan<byte> name = BytePath.FileName(path);
        using PosixDirectory parent = PosixDirectory.Open(path.AsSpan(..^name.Length));
        if (parent.Exists(name)) parent.Delete(name);
    }

    /// The random part: directories within directories, and entries of all kinds in them.
    private sealed class Filler(PosixDirectory root, Random random, TreeShape shape)
    {
        private readonly List<byte[]> directories = [[]];
        private readonly List<byte[]> linkable = [];
        private readonly TreeAttributes attributes = new(random, shape);

        public void Fill()
        {
            for (int i = 0; i < shape.Directories; i++) Add((at, name) => at.CreateDirectory(name), directories);
            for (int i = 0; i < shape.Files; i++) AddEntry();

            // At the end, what is below before what is above: making an entry moves its directory's time.
            foreach (byte[] path in linkable) At(path, attributes.SetAll);
            for (int i = directories.Count - 1; i > 0; i--) At(directories[i], attributes.SetAll);
        }

        private void AddEntry()
        {
            switch (random.Next(12))
            {
                case 0:
                    byte[] target = TreeNames.Nasty[random.Next(TreeNames.Nasty.Length)];
                    Add((directory, name) => directory.CreateSymlink(name, target));
                    break;
                case 1:
                    Add((directory, name) => directory.CreateSpecial(name, NodeKind.Fifo));
                    break;
                case 2 or 3 when linkable.Count > 0:
                    AddHardLink(linkable[random.Next(linkable.Count)]);
                    break;
                default:
                    Add(WriteFile);
                    break;
            }
        }

        private void WriteFile(PosixDirectory directory, byte[] name)
        {
            using PosixFile file = directory.CreateFile(name);
            int size = TreeContent.NextSize(random, shape.LargestFile);
            file.Write(TreeContent.Next(random, size), 0);
            if (random.Next(8) == 0) file.SetLength(size + random.Next(1, 1_000_000));
        }

        private void AddHardLink(byte[] existing) => At(existing, (from, oldName) =>
        {
            using PosixDirectory directory = root.OpenBelow(directories[random.Next(directories.Count)]);
            directory.Link(TreeNames.Next(random, directory), from, oldName);
        });

        private void Add(Action<PosixDirectory, byte[]> create, List<byte[]>? list = null)
        {
            byte[] parent = directories[random.Next(directories.Count)];
            using PosixDirectory directory = root.OpenBelow(parent);
            byte[] name = TreeNames.Next(random, directory);
            create(directory, name);
            (list ?? linkable).Add(BytePath.Join(parent, name));
        }

        private void At(byte[] path, Action<PosixDirectory, byte[]> action)
        {
            byte[] name = BytePath.FileName(path).ToArray();
            using PosixDirectory directory = root.OpenBelow(path.AsSpan(..^name.Length));
            action(directory, name);
        }
    }
}
