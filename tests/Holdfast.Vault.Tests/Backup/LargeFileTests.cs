using Holdfast.Files;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Tests.Faults;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Tests.Backup;

/// <summary>Goal: whatever was done to a large file, it comes back as it is, and what the vault has of it is not stored again.</summary>
public sealed class LargeFileTests : IDisposable
{
    private const int WindowBytes = 1 << 20;

    // What one edit may cost: the chunks that it touches, and those until cuts fall where they fell before.
    private const int MaxEditBytes = 8 * Chunker.MaxBytes;

    // Of the directory, the list of changes and the chunk lists.
    private const int MaxTreeBytes = 64 << 10;

    private readonly BackupWorld world = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, int> Edits => new()
    {
        { "only its time", 0 },
        { "first byte", 1 },
        { "middle byte", 1 },
        { "last byte", 1 },
        { "many bytes", 5 },
        { "inserted in front", 1 },
        { "inserted in the middle", 1 },
        { "a MiB inserted", 1 },
        { "a MiB deleted", 1 },
        { "five MiB deleted", 1 },
        { "cut off", 1 },
        { "longer", 1 },
        { "halves swapped", 2 },
        { "pieces swapped", 7 },
        { "twice the same", 1 },
        { "zeros within", 2 },
    };

    public void Dispose() => world.Dispose();

    [Theory, MemberData(nameof(Edits))]
    public async Task AnEditCostsWhatItTouchesAndTheFileComesBack(string edit, int places)
    {
        byte[] before = TestKeys.Content(8 << 20);
        byte[] after = Apply(edit, before);
        world.Write("a", TestKeys.Content(1000));
        world.Write("large", before);
        world.Write("z", TestKeys.Content(2000));
        await world.BackupAsync();

        world.Write("a", TestKeys.Content(1001));
        world.Write("large", after);
        world.Write("z", TestKeys.Content(2001));
        BackupSummary second = await world.BackupAsync();

        Assert.InRange(second.Counts.BytesAdded, 0, (edit == "a MiB inserted" ? 1 << 20 : 0) + (places * MaxEditBytes) + MaxTreeBytes);
        Assert.Equal(after.Length + 1001 + 2001, second.Counts.BytesRead);
        await world.AssertIsSourceAsync(edit);

        BackupSummary third = await world.BackupAsync();
        Assert.Equal((0L, 0L), (third.Counts.BytesAdded, third.Counts.BytesRead));
        await world.AssertIsSourceAsync(edit);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task RandomEditsOneAfterTheOtherComeBack(int seed)
    {
        var random = new Random(seed);
        byte[] content = TestKeys.Content(3 << 20);
        for (int round = 0; round < 10; round++)
        {
            for (int edits = random.Next(1, 4); edits > 0; edits--) content = Edit(random, content);
            world.Write("large", content);
            await world.BackupAsync();
            await world.AssertIsSourceAsync($"seed {seed}, round {round}, {content.Length} bytes");
        }
    }

    [Fact]
    public async Task ContentAsLongAsTheWindowAndAsChunksAreComesBackWithItsNeighbours()
    {
        int[] lengths =
        [
            WindowBytes - 1, WindowBytes, WindowBytes + 1, (2 * WindowBytes) - 1, 2 * WindowBytes, (2 * WindowBytes) + 1, WindowBytes + Chunker.MaxBytes,
            WindowBytes - Chunker.MaxBytes, Chunker.MaxBytes - 1, Chunker.MaxBytes, Chunker.MaxBytes + 1, 9 * Chunker.MaxBytes, 10 * Chunker.MaxBytes,
            Chunker.MinBytes - 1, Chunker.MinBytes, Chunker.MinBytes + 1, 1, 0,
        ];
        byte[] content = TestKeys.Content(3 * WindowBytes);
        for (int round = 0; round < 3; round++)
        {
            for (int i = 0; i < lengths.Length; i++)
            {
                // In the first round each file's own content; then one byte more at the end; then one less, and another in front.
                byte[] own = content[i..(i + lengths[i] + (round == 1 ? 1 : 0))];
                if (round == 2 && own.Length > 0) own[0] ^= 1;
                world.Write($"{i:00}", own);
            }

            await world.BackupAsync();
            await world.AssertIsSourceAsync($"round {round}");
        }
    }

    [Fact]
    public async Task ZerosAreStoredOnceAndAnEditAmongThemIsFound()
    {
        byte[] content = new byte[8 << 20];
        world.Write("zeros", content);
        BackupSummary first = await world.BackupAsync();
        Assert.InRange(first.Counts.BytesAdded, 1, (2 * Chunker.MaxBytes) + MaxTreeBytes);

        foreach (int at in (int[])[0, content.Length / 2, content.Length - 1])
        {
            content[at] = 1;
            world.Write("zeros", content);
            BackupSummary next = await world.BackupAsync();
            Assert.InRange(next.Counts.BytesAdded, 1, MaxEditBytes + MaxTreeBytes);
            await world.AssertIsSourceAsync($"byte {at}");
        }

        world.Write("zeros", content.AsSpan(0, content.Length - 100_000));
        await world.BackupAsync();
        await world.AssertIsSourceAsync("cut off");
    }

    [Fact]
    public async Task HolesBetweenAndWhatBecomesOfThemComeBack()
    {
        byte[] content = TestKeys.Content(4 << 20);
        string path = Path.Combine(world.Source, "sparse");
        foreach (int step in (int[])[1 << 20, 3 << 20, 2 << 20])
        {
            // Each round the same four pieces, with holes of another length between.
            using (FileStream file = File.Create(path))
            {
                for (int i = 0; i < 4; i++)
                {
                    file.Position = (long)i * step;
                    file.Write(content.AsSpan(i << 20, (1 << 20) - 5000));
                }

                file.SetLength(file.Length + (1 << 20));
            }

            BackupSummary summary = await world.BackupAsync();
            if (step != 1 << 20) Assert.InRange(summary.Counts.BytesAdded, 1, (8 * MaxEditBytes) + MaxTreeBytes);
            await world.AssertIsSourceAsync($"step {step}");
        }
    }

    [Fact]
    public async Task AReadErrorInTheMiddleCostsThatFileAndNoOther()
    {
        byte[] content = TestKeys.Content(5 << 20);
        world.Write("a", [1, 2, 3]);
        world.Write("b", content);
        world.Write("c", content.AsSpan(7, 2 << 20));
        world.Write("d", [4, 5, 6]);
        await world.BackupAsync();
        // Each in place, so that all of them are read again.
        world.Write("a", [1, 2, 4]);
        content[^1] ^= 1;
        world.Write("b", content);
        content[0] ^= 1;
        world.Write("c", content.AsSpan(7, 2 << 20));
        world.Write("d", [4, 5, 7]);
        string opened = "";
        var failing = new InterceptedTree(world.Tree)
        {
            BeforeOpen = name => opened = name,
            ReadError = offset => opened == "b" && offset >= 2 << 20 ? Errno.InputOutput : Errno.None,
        };

        BackupSummary second = await world.BackupAsync(failing);

        Assert.Equal(1, second.Counts.Errors);
        Assert.Equal(1, second.Counts.FilesDeleted);
        Assert.Contains(world.Changes, change => change.Kind == ChangeKind.Deleted && change.Path.Span.SequenceEqual("b"u8));
        SortedDictionary<string, byte[]> files = await world.ReadAsync();
        Assert.Equal(["a", "c", "d"], files.Keys);
        Assert.Equal([1, 2, 4], files["a"]);
        Assert.True(File.ReadAllBytes(Path.Combine(world.Source, "c")).AsSpan().SequenceEqual(files["c"]));
        Assert.Equal([4, 5, 7], files["d"]);

        await world.BackupAsync();
        await world.AssertIsSourceAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task AFileThatChangesWhileItIsReadIsToldOfAndReadAgainTheNextTime(int window)
    {
        byte[] content = TestKeys.Content(4 << 20);
        world.Write("large", content);
        await world.BackupAsync();
        content[0] ^= 1;
        world.Write("large", content);
        var changing = new InterceptedTree(world.Tree);
        changing.BeforeRead = offset =>
        {
            if (offset < window * WindowBytes) return;
            changing.BeforeRead = null;
            // What was read already, and what is not.
            content[100] ^= 1;
            content[^100] ^= 1;
            world.Write("large", content);
        };

        BackupSummary second = await world.BackupAsync(changing);
        Assert.Equal(1, second.Counts.Errors);
        byte[] read = (await world.ReadAsync())["large"];
        Assert.Equal(content.Length, read.Length);
        Assert.NotEqual(content[100], read[100]);
        Assert.Equal(content[^100], read[^100]);

        BackupSummary third = await world.BackupAsync();
        Assert.Equal(content.Length, third.Counts.BytesRead);
        await world.AssertIsSourceAsync();
    }

    [Fact]
    public async Task AStreamIsComparedWithItsBase()
    {
        byte[] content = TestKeys.Content(5 << 20);
        foreach (int at in (int[])[-1, 0, 3 << 20, content.Length - 1])
        {
            if (at >= 0) content[at] ^= 1;
            using var stream = new MemoryStream(content);
            BackupSummary summary = await world.BackupAsync(
                change: request => request with { Roots = [], Stream = stream, StreamName = "/dump"u8.ToArray() });
            if (at >= 0) Assert.InRange(summary.Counts.BytesAdded, 1, MaxEditBytes + MaxTreeBytes);
            Assert.Equal(at >= 0, summary.Base is not null);
            using OpenVault vault = await world.OpenAsync();
            TreeEntry entry = Assert.Single(await vault.Trees.ReadDirectoryAsync((await BackupWorld.NewestAsync(vault)).Tree, isPointRoot: true, Token));
            Assert.True((await ContentOfAsync(vault, entry.Content!)).AsSpan().SequenceEqual(content), $"edit at {at}");
        }
    }

    private static async Task<byte[]> ContentOfAsync(OpenVault vault, Content content)
    {
        var bytes = new MemoryStream();
        await foreach (ContentItem item in vault.Trees.FlattenAsync(content, Token))
        {
            ReadOnlyMemory<byte> chunk = await vault.DataChunks.FetchAsync(item.Id, Token);
            for (long i = 0; i < item.Repeats; i++) bytes.Write(chunk.Span);
        }

        return bytes.ToArray();
    }

    private static byte[] Apply(string edit, byte[] content)
    {
        byte[] other = TestKeys.Random(new Random(5), 1 << 20);
        int middle = content.Length / 2;
        return edit switch
        {
            "only its time" => content,
            "first byte" => Flip(content, 0),
            "middle byte" => Flip(content, middle),
            "last byte" => Flip(content, content.Length - 1),
            "many bytes" => Flip(content, 100, 1 << 20, 3 << 20, (5 << 20) + 17, 7 << 20),
            "inserted in front" => [9, .. content],
            "inserted in the middle" => [.. content[..middle], 1, 2, 3, .. content[middle..]],
            "a MiB inserted" => [.. content[..middle], .. other, .. content[middle..]],
            "a MiB deleted" => [.. content[..middle], .. content[(middle + (1 << 20))..]],
            "five MiB deleted" => [.. content[..(1 << 20)], .. content[(6 << 20)..]],
            "cut off" => content[..(content.Length - 77_777)],
            "longer" => [.. content, .. other[..1000]],
            "halves swapped" => [.. content[middle..], .. content[..middle]],
            "pieces swapped" => [.. Enumerable.Range(0, 8).Reverse().SelectMany(i => content[(i << 20)..((i + 1) << 20)])],
            "twice the same" => [.. content, .. content],
            "zeros within" => [.. content[..middle], .. new byte[2 << 20], .. content[middle..]],
            _ => throw new ArgumentOutOfRangeException(nameof(edit), edit, null),
        };
    }

    private static byte[] Flip(byte[] content, params int[] places)
    {
        byte[] flipped = [.. content];
        foreach (int place in places) flipped[place] ^= 0x40;
        return flipped;
    }

    private static byte[] Edit(Random random, byte[] content)
    {
        int at = random.Next(content.Length), length = Math.Min(random.Next(1, 400_000), content.Length - at);
        byte[] piece = content[at..(at + length)];
        switch (random.Next(7))
        {
            case 0:
                return Flip(content, at);
            case 1:
                return [.. content[..at], .. TestKeys.Random(random, length), .. content[at..]];
            case 2 when content.Length > WindowBytes:
                return [.. content[..at], .. content[(at + length)..]];
            case 3:
                return [.. content[..at], .. new byte[length], .. content[(at + length)..]];
            case 4:
                // A piece goes to another place.
                byte[] rest = [.. content[..at], .. content[(at + length)..]];
                int place = random.Next(rest.Length + 1);
                return [.. rest[..place], .. piece, .. rest[place..]];
            case 5:
                return [.. content[..at], .. piece, .. content[at..]];
            default:
                return [.. content, .. TestKeys.Random(random, length)];
        }
    }
}
