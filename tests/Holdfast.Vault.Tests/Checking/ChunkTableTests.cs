using Holdfast.Log;
using Holdfast.Testing;
using Holdfast.Vault.Checking;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Tests.Checking;

/// Goal: a table of chunks says the same of them whether it is in memory or in a file.
public sealed class ChunkTableTests : IDisposable
{
    private readonly TemporaryDirectory directory = new(inMemory: true);

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 12 * 300)]
    [InlineData(3, 12 * 2000)]
    [InlineData(4, 1 << 20)]
    public void ATableInAFileSaysWhatTheOneInMemorySays(int seed, long memoryBytes)
    {
        var random = new Random(seed);
        Host host = Host.CreateReal();
        PackFooter[] footers = [.. Footers(random, 40)];
        var inMemory = new ChunkTable(footers.Select(static footer => new CheckedPack(footer)));
        using var spill = new ChunkSpill(host.Disk, directory.Path);
        CheckedPack[] moved = [.. footers.Select(static footer => new CheckedPack(footer))];
        foreach (CheckedPack pack in moved) pack.MoveTo(spill);
        var inFile = new ChunkTable(moved, spill, memoryBytes, host.Entropy);

        Assert.Equal(inMemory.Count, inFile.Count);
        Assert.Equal(inMemory.HasCopies, inFile.HasCopies);
        foreach (PackFooter footer in footers)
        {
            CheckedPack expected = inMemory.TryGet(footer.Pack)!, found = inFile.TryGet(footer.Pack)!;
            ChunkId[] buffer = [];
            Assert.Equal(footer.Chunks.Select(static chunk => chunk.Id), found.ReadIds(ref buffer).ToArray());
            Assert.Equal(expected.First, found.First);
            for (int i = 0; i < footer.Chunks.Length; i++)
            {
                ChunkId id = footer.Chunks[i].Id;
                int number = inMemory.Find(id, footer.Pack.Kind);
                Assert.True(number == inFile.Find(id, footer.Pack.Kind), $"seed {seed}: chunk {i} of {footer.Pack}");
                Assert.Equal(inMemory.Find(id, OtherThan(footer.Pack.Kind)), inFile.Find(id, OtherThan(footer.Pack.Kind)));
                Assert.Equal(-1, inFile.Find(id with { W3 = ~id.W3 }, footer.Pack.Kind));
                Assert.Equal(inMemory.FirstOf(expected.First + i), inFile.FirstOf(found.First + i));
                Assert.Equal(inMemory.CopiesOf(number), inFile.CopiesOf(number));
                Assert.Equal(footer.Chunks[i].Length, inFile.LengthOf(found.First + i));
                Assert.Equal(footer.Chunks[i].Group, found.GroupOf(i));
                Assert.Contains(found.First + i, found.NumbersOf(footer.Chunks[i].Group));
            }

            Assert.Empty(found.NumbersOf(footer.Groups.Length));
        }
    }

    [Theory, InlineData(1), InlineData(2)]
    public void ABitmapIsAddedAsItsNumbersAre(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 500; round++)
        {
            int first = random.Next(200), count = random.Next(200);
            ulong[] bitmap = [.. Enumerable.Range(0, random.Next(5)).Select(_ => (ulong)random.NextInt64(long.MinValue, long.MaxValue))];
            var set = new NumberSet(400);
            set.AddAll(first, count, bitmap);
            for (int number = 0; number < 400; number++)
            {
                int bit = number - first;
                bool isAdded = bit >= 0 && bit < count && bit < bitmap.Length * 64 && (bitmap[bit / 64] & (1UL << (bit % 64))) != 0;
                Assert.True(isAdded == set.Contains(number), $"seed {seed}, round {round}: {number}");
            }
        }
    }

    /// Packs of both kinds, some empty, in which some chunks are copies of others.
    private static IEnumerable<PackFooter> Footers(Random random, int packs)
    {
        var known = new List<ChunkId>();
        for (int i = 0; i < packs; i++)
        {
            var kind = i % 3 == 0 ? ObjectKind.TreePack : ObjectKind.DataPack;
            var groups = new List<PackGroup>();
            var chunks = new List<PackChunk>();
            for (int group = random.Next(12); group > 0; group--)
            {
                int first = chunks.Count;
                for (int left = random.Next(1, 30); left > 0; left--)
                {
                    bool isCopy = known.Count > 0 && random.Next(20) == 0;
                    ChunkId id = isCopy ? known[random.Next(known.Count)] : NewId(random);
                    known.Add(id);
                    chunks.Add(new PackChunk(id, groups.Count, 0, random.Next(100_000)));
                }

                groups.Add(new PackGroup(0, 0, 0, first, chunks.Count - first, GroupCoding.Raw, 0, groups.Count));
            }

            yield return new PackFooter
            {
                Pack = new PackId(kind, new SessionId(7, (ulong)random.Next(3)), (uint)i),
                WriterId = 0,
                Epoch = 1,
                Cipher = Aead.Preferred,
                KeyId = 0,
                SealedKey = new byte[PackFooter.SealedKeyBytes],
                PackBytes = 1000,
                FooterBytes = 100,
                Groups = [.. groups],
                Chunks = [.. chunks],
            };
        }
    }

    private static ChunkId NewId(Random random)
    {
        Span<byte> bytes = stackalloc byte[ChunkId.Size];
        random.NextBytes(bytes);
        return ChunkId.Decode(bytes);
    }

    private static ObjectKind OtherThan(ObjectKind kind) => kind == ObjectKind.DataPack ? ObjectKind.TreePack : ObjectKind.DataPack;
}
