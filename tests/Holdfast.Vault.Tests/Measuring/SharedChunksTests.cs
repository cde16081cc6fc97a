using Holdfast.Vault.Measuring;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Tests.Measuring;

public sealed class SharedChunksTests
{
    private const int Packs = 5;
    private static readonly int[] ChunkCounts = [1, 63, 64, 65, 200];

    [Fact]
    public void WhatTwoSetsHaveIsShared()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var owners = new Dictionary<(int Pack, int Ordinal), int>();
            var shared = new SharedChunks();
            for (int sets = random.Next(1, 6); sets > 0; sets--)
            {
                var set = new ReferenceSet();
                for (int pack = 0; pack < Packs; pack++) Fill(random, set, pack, owners);
                shared.Add(set);
            }

            for (int pack = 0; pack < Packs; pack++)
            {
                ulong[] bits = shared.OrdinalsOf(Pack(pack)).ToArray();
                for (int ordinal = 0; ordinal < ChunkCounts[pack]; ordinal++)
                {
                    bool isShared = ordinal / 64 < bits.Length && (bits[ordinal / 64] & (1UL << (ordinal % 64))) != 0;
                    Assert.True(owners.GetValueOrDefault((pack, ordinal)) > 1 == isShared, $"seed {seed}, pack {pack}, chunk {ordinal}");
                }
            }
        }
    }

    private static void Fill(Random random, ReferenceSet set, int pack, Dictionary<(int Pack, int Ordinal), int> owners)
    {
        int kind = random.Next(3);
        if (kind == 0) return;
        if (kind == 1) set.AddAll(Pack(pack), ChunkCounts[pack]);
        for (int ordinal = 0; ordinal < ChunkCounts[pack]; ordinal++)
        {
            if (kind == 2 && random.Next(4) > 0) continue;
            if (kind == 2) set.Add(Pack(pack), ChunkCounts[pack], ordinal);
            owners[(pack, ordinal)] = owners.GetValueOrDefault((pack, ordinal)) + 1;
        }
    }

    private static PackId Pack(int number) => new(ObjectKind.DataPack, new SessionId(0, 1), (uint)number);
}
