using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Tests.Points;

public sealed class ReferenceSetTests
{
    [Fact]
    public void SetsComeBackAsTheyWere()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            (ReferenceSet set, Dictionary<PackId, bool[]> model) = Build(random);

            var read = ReferenceSet.Decode(set.Encode(), "test");

            Assert.Equal(model.Count, read.PackCount);
            foreach ((PackId pack, bool[] chunks) in model)
            {
                Assert.Equal(chunks.Length, read.ChunkCountOf(pack));
                for (int i = 0; i < chunks.Length; i++) Assert.True(chunks[i] == read.Contains(pack, i), $"seed {seed}, {pack}, {i}");
                Assert.False(read.Contains(pack, chunks.Length));

                // Also of a pack that is needed whole and kept without a bitmap.
                ReadOnlySpan<ulong> ordinals = read.OrdinalsOf(pack);
                Assert.Equal((chunks.Length + 63) / 64, ordinals.Length);
                for (int i = 0; i < ordinals.Length * 64; i++) Assert.Equal(i < chunks.Length && chunks[i], (ordinals[i / 64] & (1UL << (i % 64))) != 0);
            }

            Assert.Equal(set.Encode(), read.Encode());
            Assert.True(set.ContainsAll(read) && read.ContainsAll(set), $"seed {seed}");
        }
    }

    [Fact]
    public void ASetContainsThoseThatAskForLess()
    {
        PackId pack = Pack(1), other = Pack(2);
        var small = new ReferenceSet();
        small.Add(pack, 100, 5);
        var large = new ReferenceSet();
        large.Add(pack, 100, 5);
        large.Add(pack, 100, 99);
        var whole = new ReferenceSet();
        whole.AddAll(pack, 100);
        var elsewhere = new ReferenceSet();
        elsewhere.Add(other, 100, 5);

        Assert.True(large.ContainsAll(small));
        Assert.False(small.ContainsAll(large));
        Assert.True(whole.ContainsAll(large));
        Assert.False(large.ContainsAll(whole));
        Assert.True(whole.ContainsAll(whole));
        Assert.False(large.ContainsAll(elsewhere));
        Assert.True(small.ContainsAll(new ReferenceSet()));
    }

    [Fact]
    public void WhatEveryThreadAddedIsThere()
    {
        var set = new ReferenceSet();
        Parallel.For(0, 8 * 4000, i =>
        {
            set.Add(Pack((uint)(i % 8)), 4000, i / 8);
            if (i == 5000) set.AddAll(Pack(3), 4000);
        });

        for (uint pack = 0; pack < 8; pack++)
        {
            for (int i = 0; i < 4000; i++) Assert.True(set.Contains(Pack(pack), i));
        }
    }

    [Fact]
    public void MutatedSetsAreReadOrRefusedWithinBoundedMemory()
    {
        const int seed = 99;
        var random = new Random(seed);
        byte[][] sources = [.. Enumerable.Range(0, 10).Select(i => Build(new Random(i)).Set.Encode())];
        for (int i = 0; i < 20_000; i++)
        {
            byte[] mutated = TestKeys.Mutate(random, sources[i % sources.Length]);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                _ = ReferenceSet.Decode(mutated, "test");
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
            Assert.True(allocated < 100_000 + (100L * mutated.Length), $"seed {seed}, round {i}: {allocated} bytes for {mutated.Length}");
        }
    }

    [Fact]
    public void PacksOutOfOrderOrTwiceAreDamage()
    {
        var set = new ReferenceSet();
        set.AddAll(Pack(1), 3);
        byte[] one = set.Encode();

        Assert.Throws<DamageException>(() => ReferenceSet.Decode([2, 0, 0, 0, .. one[4..], .. one[4..]], "test"));
    }

    private static PackId Pack(uint number) => new(ObjectKind.DataPack, new SessionId(0, 9), number);

    private static (ReferenceSet Set, Dictionary<PackId, bool[]> Model) Build(Random random)
    {
        var set = new ReferenceSet();
        var model = new Dictionary<PackId, bool[]>();
        for (int p = random.Next(6); p > 0; p--)
        {
            ObjectKind kind = random.Next(2) == 0 ? ObjectKind.DataPack : ObjectKind.TreePack;
            var pack = new PackId(kind, new SessionId(0, (ulong)random.Next(3)), (uint)random.Next());
            bool[] chunks = new bool[random.Next(1, random.Next(2) == 0 ? 200 : 10)];
            if (random.Next(3) == 0)
            {
                set.AddAll(pack, chunks.Length);
                Array.Fill(chunks, true);
            }
            else
            {
                for (int i = random.Next(1, 40); i > 0; i--)
                {
                    int ordinal = random.Next(chunks.Length);
                    set.Add(pack, chunks.Length, ordinal);
                    chunks[ordinal] = true;
                }
            }

            model[pack] = chunks;
        }

        return (set, model);
    }
}
