using System.Text;
using Holdfast.Files;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Tests.Trees;

public sealed class DirectoryCodecTests
{
    [Fact]
    public void EntriesComeBackAsTheyWere()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            List<TreeEntry> entries = Entries(new Random(seed));
            byte[] chunk = Encode(entries);

            List<TreeEntry> read = DirectoryCodec.Decode(chunk, "test", isPointRoot: false);

            Assert.Equal(entries.Count, read.Count);
            for (int i = 0; i < read.Count; i++) AssertSame(entries[i], read[i], $"seed {seed}, entry {i}");
            Assert.Equal(chunk, Encode(read));
        }
    }

    [Fact]
    public void TheSizeOfTheLongestFileThatLinuxAllowsIsKept()
    {
        TreeEntry entry = File("f");
        entry.Attributes = entry.Attributes with { Size = long.MaxValue };
        entry.Content = new Content(0, [ContentItem.Hole(long.MaxValue - 1), ContentItem.Chunk(default, 1)]);

        Assert.Equal(long.MaxValue, Assert.Single(DirectoryCodec.Decode(Encode([entry]), "test", false)).Attributes.Size);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("../x")]
    [InlineData("a/b")]
    [InlineData("/a")]
    [InlineData("a\0")]
    [InlineData("/")]
    public void NamesThatLeadElsewhereAreRefused(string name)
    {
        byte[] chunk = EncodeUnchecked(name);

        Assert.Throws<DamageException>(() => DirectoryCodec.Decode(chunk, "test", isPointRoot: false));
        if (!name.StartsWith('/')) Assert.Throws<InvalidOperationException>(() => Encode([File(name)]));
    }

    [Theory]
    [InlineData("/", true)]
    [InlineData("/a", true)]
    [InlineData("/a/b..c/.d", true)]
    [InlineData("", false)]
    [InlineData("a", false)]
    [InlineData("//", false)]
    [InlineData("/a/", false)]
    [InlineData("/a//b", false)]
    [InlineData("/a/../b", false)]
    [InlineData("/..", false)]
    [InlineData("/.", false)]
    [InlineData("/a/.", false)]
    [InlineData("/a\0", false)]
    public void RootsOfAPointAreAbsolutePaths(string name, bool isValid) =>
        Assert.Equal(isValid, DirectoryCodec.IsValidName(Encoding.UTF8.GetBytes(name), isPointRoot: true));

    [Theory]
    [InlineData(255, true)]
    [InlineData(1023, true)]
    [InlineData(1024, false)]
    public void NamesAreAsLongAsAFileSystemAllows(int bytes, bool isValid)
    {
        byte[] name = [.. Enumerable.Repeat((byte)0xFF, bytes)];

        Assert.Equal(isValid, DirectoryCodec.IsValidName(name, isPointRoot: false));
    }

    [Theory]
    [InlineData("b", "a")]
    [InlineData("a", "a")]
    [InlineData("ab", "a")]
    public void NamesOutOfOrderOrTwiceAreNeitherReadNorWritten(string first, string second)
    {
        byte[] one = Encode([File(first)]), two = Encode([File(second)]);
        const int entriesOffset = 3;

        Assert.Throws<DamageException>(() => DirectoryCodec.Decode([.. one, .. two[entriesOffset..]], "test", false));
        Assert.Throws<InvalidOperationException>(() => Encode([File(first), File(second)]));
    }

    [Fact]
    public void ASizeThatItsContentDoesNotHaveIsDamage()
    {
        TreeEntry entry = File("f");
        entry.Content = new Content(0, [ContentItem.Hole(41)]);
        entry.Attributes = entry.Attributes with { Size = 42 };
        byte[] chunk = Encode([entry]);

        Assert.Throws<DamageException>(() => DirectoryCodec.Decode(chunk, "test", false));
    }

    [Fact]
    public void LengthsThatOverflowTogetherAreDamage()
    {
        TreeEntry entry = File("f");
        entry.Content = new Content(0, [ContentItem.Hole(long.MaxValue), ContentItem.Hole(1)]);

        Assert.Throws<DamageException>(() => DirectoryCodec.Decode(Encode([entry]), "test", false));
        var list = new ByteWriter();
        new Content(2, [new ContentItem(ContentItemKind.Run, default, 1L << 40, 1L << 30)]).Encode(list);
        Assert.Throws<DamageException>(() => Decode(list.ToArray()));
    }

    [Theory]
    [InlineData(1, 0, 1)]
    [InlineData(3, 5, 0)]
    [InlineData(4, 5, 1)]
    [InlineData(0, 5, 1)]
    public void ItemsOfNothingOrOfUnknownKindAreDamage(int kind, long length, long repeats)
    {
        var writer = new ByteWriter();
        new Content(0, [new ContentItem((ContentItemKind)kind, default, length, repeats)]).Encode(writer);

        Assert.Throws<DamageException>(() => Decode(writer.ToArray()));
    }

    [Fact]
    public void ListsDeeperThanAllowedAreDamage()
    {
        var writer = new ByteWriter();
        new Content(Content.MaxDepth + 1, []).Encode(writer);

        Assert.Throws<DamageException>(() => Decode(writer.ToArray()));
    }

    [Fact]
    public void ACountIsNotBelievedBeforeItsItemsAreThere()
    {
        var writer = new ByteWriter();
        writer.U8(0);
        writer.Varint(1_000_000);
        byte[] hostile = [.. writer.Written, .. new byte[2_000_000]];
        long before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Throws<DamageException>(() => Decode(hostile));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void MutatedChunksAreReadOrRefusedAndNothingElseHappens()
    {
        const int seed = 20260101;
        var random = new Random(seed);
        byte[][] chunks = [.. Enumerable.Range(0, 20).Select(i => Encode(Entries(new Random(i))))];
        for (int i = 0; i < 20_000; i++)
        {
            byte[] source = chunks[i % chunks.Length];
            byte[] mutated = i % 50 == 0 ? TestKeys.Random(random, random.Next(200)) : TestKeys.Mutate(random, source);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                _ = DirectoryCodec.Decode(mutated, "test", isPointRoot: i % 7 == 0);
                _ = TreeChange.DecodeList(mutated, "test");
            }
            catch (DamageException)
            {
                // Refused.
            }
            catch (Exception error)
            {
                Assert.Fail($"seed {seed}, round {i}: {error}");
            }

            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < 200_000 + (60L * mutated.Length), $"seed {seed}, round {i}: {allocated} bytes for {mutated.Length}");
        }
    }

    [Fact]
    public void ChangesComeBackAsTheyWere()
    {
        var writer = new ByteWriter();
        writer.U8((byte)TreeChunkKind.ChangeList);
        TreeChange.Encode(writer, ChangeKind.Added, "a"u8);
        TreeChange.Encode(writer, ChangeKind.Modified, [0xFF, 0x2F, 0x00]);
        TreeChange.Encode(writer, ChangeKind.Deleted, "z"u8);

        List<TreeChange> read = TreeChange.DecodeList(writer.Written, "test");

        Assert.Equal([ChangeKind.Added, ChangeKind.Modified, ChangeKind.Deleted], read.Select(change => change.Kind));
        Assert.Equal([0xFF, 0x2F, 0x00], read[1].Path.ToArray());
        Assert.Throws<DamageException>(() => TreeChange.DecodeList([.. writer.Written, (byte)'X', 0], "test"));
        Assert.Throws<DamageException>(() => TreeChange.DecodeList([1], "test"));
    }

    private static Content Decode(byte[] source)
    {
        var reader = new ByteReader(source, "test");
        return Content.Decode(ref reader);
    }

    private static byte[] Encode(List<TreeEntry> entries)
    {
        var writer = new ByteWriter();
        DirectoryCodec.Encode(writer, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(entries));
        return writer.ToArray();
    }

    /// <summary>An entry whose name the codec would refuse to write.</summary>
    private static byte[] EncodeUnchecked(string name)
    {
        byte[] whole = Encode([File("x")]);
        const int nameOffset = 4;
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        return [.. whole[..nameOffset], (byte)bytes.Length, .. bytes, .. whole[(nameOffset + 2)..]];
    }

    private static TreeEntry File(string name) => new()
    {
        Name = Encoding.UTF8.GetBytes(name),
        Attributes = new NodeAttributes { Kind = NodeKind.Regular, Mode = 0x1A4, LinkCount = 1 },
        Content = Content.Empty,
    };

    private static List<TreeEntry> Entries(Random random)
    {
        var names = new SortedSet<byte[]>(Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b)));
        for (int i = random.Next(20); i > 0; i--)
        {
            byte[] name = TestKeys.Random(random, random.Next(10) == 0 ? 255 : random.Next(1, 12));
            if (DirectoryCodec.IsValidName(name, isPointRoot: false)) names.Add(name);
        }

        byte[]?[] owners = [null, "root"u8.ToArray(), [0xFF, 0xFE], []];
        return [.. names.Select(name => Entry(random, name, owners))];
    }

    private static TreeEntry Entry(Random random, byte[] name, byte[]?[] owners)
    {
        NodeKind[] kinds =
            [NodeKind.Regular, NodeKind.Regular, NodeKind.Directory, NodeKind.Symlink, NodeKind.Fifo, NodeKind.CharacterDevice, NodeKind.BlockDevice];
        uint user = (uint)random.Next(4), group = (uint)random.Next(4);
        var attributes = new NodeAttributes
        {
            Kind = kinds[random.Next(kinds.Length)],
            Mode = (uint)random.Next(4096),
            Uid = user == 3 ? uint.MaxValue : user,
            Gid = group == 3 ? uint.MaxValue : group,
            ModifyTime = Time(random),
            ChangeTime = Time(random),
            Inode = (ulong)random.NextInt64(long.MinValue, long.MaxValue),
            Device = (ulong)random.Next(3),
            LinkCount = (uint)random.NextInt64(uint.MaxValue + 1L),
        };
        if (attributes.Kind is NodeKind.CharacterDevice or NodeKind.BlockDevice)
        {
            attributes.DeviceMajor = (uint)random.NextInt64(uint.MaxValue + 1L);
            attributes.DeviceMinor = (uint)random.Next(256);
        }

        var entry = new TreeEntry
        {
            Name = name,
            Attributes = attributes,
            UserName = owners[user],
            GroupName = owners[group],
            Xattrs = [.. Enumerable.Range(0, random.Next(3)).Select(i =>
                new Xattr([(byte)'u', (byte)('a' + i)], TestKeys.Random(random, random.Next(40))))],
        };
        if (attributes.Kind is NodeKind.Regular or NodeKind.Directory) entry.Content = SomeContent(random);
        if (attributes.Kind == NodeKind.Regular) attributes.Size = entry.Content!.TotalBytes;
        if (attributes.Kind == NodeKind.Symlink)
        {
            entry.Target = [.. TestKeys.Random(random, random.Next(1, 60)).Select(b => (byte)(b | 1))];
            attributes.Size = entry.Target.Length;
        }

        entry.Attributes = attributes;
        return entry;
    }

    private static UnixTime Time(Random random) => random.Next(6) switch
    {
        0 => default,
        1 => new UnixTime(-1, 999_999_999),
        2 => new UnixTime(long.MinValue, 0),
        3 => new UnixTime(long.MaxValue, 1),
        _ => new UnixTime(random.NextInt64(-1L << 40, 1L << 40), random.Next(1_000_000_000)),
    };

    private static Content SomeContent(Random random)
    {
        if (random.Next(4) == 0) return Content.Empty;
        ContentItem[] items = [.. Enumerable.Range(0, random.Next(1, 8)).Select(_ => random.Next(3) switch
        {
            0 => ContentItem.Hole(random.NextInt64(1, 1L << 40)),
            1 => new ContentItem(ContentItemKind.Run, TestKeys.RandomId(random), random.Next(1, 1 << 22), random.Next(2, 1000)),
            _ => ContentItem.Chunk(TestKeys.RandomId(random), random.Next(1, 1 << 22)),
        })];
        return new Content(random.Next(Content.MaxDepth + 1), items);
    }

    private static void AssertSame(TreeEntry a, TreeEntry b, string where)
    {
        Assert.True(a.Name.AsSpan().SequenceEqual(b.Name), where);
        Assert.True(a.Attributes == b.Attributes, $"{where}: {a.Attributes}, {b.Attributes}");
        Assert.Equal(a.UserName, b.UserName);
        Assert.Equal(a.GroupName, b.GroupName);
        Assert.Equal(a.Target, b.Target);
        Assert.Equal(a.Xattrs.Length, b.Xattrs.Length);
        for (int i = 0; i < a.Xattrs.Length; i++)
        {
            Assert.Equal(a.Xattrs[i].Name, b.Xattrs[i].Name);
            Assert.Equal(a.Xattrs[i].Value, b.Xattrs[i].Value);
        }

        Assert.Equal(a.Content is null, b.Content is null);
        if (a.Content is not null) Assert.True(a.Content.SameAs(b.Content!), where);
        Assert.True(a.LooksLike(b), where);
    }
}
