using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Tests.Fuzzing;

namespace Holdfast.Vault.Tests.Points;

public sealed class RemovalTests
{
    [Fact]
    public void WhatIsReadIsWhatWasWritten()
    {
        foreach (byte[] sample in RemovalSamples.All()) Assert.Equal(sample, RemovalRecord.Decode(sample, 7, "test").Encode());
    }

    /// Goal: a chunk that was moved, and moved on, is found; one that was not stays where it is named.
    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void MovedChunksAreFoundThroughChains(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 50; round++)
        {
            const int generations = 4;
            int chunks = random.Next(1, 200);
            var places = new (PackId Pack, int Ordinal)[chunks];
            for (int i = 0; i < chunks; i++) places[i] = (Pack(0), i);
            var removals = new List<PackRemoval>();
            for (int generation = 0; generation < generations; generation++)
            {
                // Of each pack of this generation some chunks move to the next one, in an order of their own.
                int count = generation == 0 ? chunks : places.Count(place => place.Pack == Pack((uint)generation));
                if (count == 0) break;
                bool[] moves = [.. Enumerable.Range(0, count).Select(_ => random.Next(4) > 0)];
                int moved = moves.Count(static isMoved => isMoved);
                if (moved == 0) break;
                int[] targets = [.. Enumerable.Range(0, moved)];
                random.Shuffle(targets);
                ulong[] bits = new ulong[(count + 63) / 64];
                var runs = new List<ChunkRun>();
                for (int ordinal = 0, next = 0; ordinal < count; ordinal++)
                {
                    if (!moves[ordinal]) continue;
                    bits[ordinal / 64] |= 1UL << (ordinal % 64);
                    int at = targets[next++];
                    if (runs.Count > 0 && runs[^1].First + runs[^1].Count == at) runs[^1] = runs[^1] with { Count = runs[^1].Count + 1 };
                    else runs.Add(new ChunkRun(Pack((uint)generation + 1), moved, at, 1));
                    int place = Array.IndexOf(places, (Pack((uint)generation), ordinal));
                    places[place] = (Pack((uint)generation + 1), at);
                }

                removals.Add(new PackRemoval(Pack((uint)generation), RemovalVerdict.Condemned, (uint)generation, count, bits, runs));
            }

            var needed = new ReferenceSet();
            var expected = new HashSet<(PackId, int)>();
            for (int i = 0; i < chunks; i++)
            {
                if (random.Next(2) == 0) continue;
                needed.Add(Pack(0), chunks, i);
                expected.Add(places[i]);
            }

            var all = new Removals(RemovalRecord.Decode(new RemovalRecord(default, ReplacesAll: false, removals, []).Encode(), generations, "test"));
            ReferenceSet mapped = all.Map(needed);
            var found = new HashSet<(PackId, int)>();
            foreach (PackId pack in mapped.Packs)
            {
                for (int i = 0; i < mapped.ChunkCountOf(pack); i++) if (mapped.Contains(pack, i)) found.Add((pack, i));
            }

            Assert.True(expected.SetEquals(found), $"seed {seed}, round {round}");
        }
    }

    private static PackId Pack(uint number) => new(ObjectKind.TreePack, new SessionId(1, 1), number);
}
