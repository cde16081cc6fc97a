using Holdfast.Log;
using Holdfast.Testing;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Tests.Packing;

/// <summary>Goal: what is needed of a pack is in another afterwards, at the place that is told, and nobody needed to be able to read it.</summary>
public sealed class PackMoverTests : IDisposable
{
    private readonly MoveWorld world = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    /// <summary>Each round moves what the one before made: groups keep the key that they were sealed under first.</summary>
    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public async Task WhateverIsNeededIsFoundWhereItIsSaidToBe(int seed)
    {
        var random = new Random(seed);
        List<PackFooter> packs = [];
        for (int i = 0; i < 6; i++)
        {
            ObjectKind kind = i % 3 == 2 ? ObjectKind.TreePack : ObjectKind.DataPack;
            packs.Add(world.Put(kind, random, Enumerable.Range(0, random.Next(1, 90)).Select(_ => random.Next(5) == 0 ? random.Next(900_000) : random.Next(60_000))));
        }

        for (int round = 0; round < 4; round++)
        {
            double share = random.NextDouble() < 0.3 ? 0.98 : random.NextDouble();
            (PackFooter, ulong[])[] chosen =
            [
                .. packs.Select((pack, i) => (pack, MoveWorld.Bits(pack, _ => i % 4 == 0 || (i % 4 != 1 && random.NextDouble() < share)))),
            ];
            MovedChunks moved = await world.MoveAsync(chosen);

            await world.AssertMovedAsync(moved, $"seed {seed}, round {round}", chosen);
            packs = [.. moved.NewPacks];
        }
    }

    [Fact]
    public async Task ManyLargePacksBecomePacksOfTheUsualSize()
    {
        var random = new Random(11);
        PackFooter[] packs = [.. Enumerable.Range(0, 5).Select(_ => world.Put(ObjectKind.DataPack, random, Enumerable.Repeat(300_000, 60)))];
        (PackFooter, ulong[])[] chosen = [.. packs.Select(pack => (pack, MoveWorld.Bits(pack, i => i % 2 == 0)))];

        MovedChunks moved = await world.MoveAsync(chosen);

        await world.AssertMovedAsync(moved, "halves", chosen);
        Assert.All(moved.NewPacks.SkipLast(1), pack => Assert.InRange(pack.PackBytes, PackBuilder.TargetBytes, PackBuilder.TargetBytes + (1 << 20)));
        Assert.True(moved.BytesWritten < 0.6 * packs.Sum(pack => pack.PackBytes), $"{moved.BytesWritten} bytes for half of {packs.Sum(pack => pack.PackBytes)}");
    }

    [Fact]
    public async Task WhatIsNeededWholeIsCopiedAsItIsSealed()
    {
        PackFooter source = world.Put(ObjectKind.DataPack, new Random(5), Enumerable.Repeat(200_000, 6));
        MovedChunks once = await world.MoveAsync((source, MoveWorld.All(source)));
        MovedChunks twice = await world.MoveAsync((once.NewPacks[0], MoveWorld.All(once.NewPacks[0])));

        PackFooter last = Assert.Single(twice.NewPacks);
        PackKey key = Assert.Single(last.FurtherKeys);
        Assert.Equal(source.SealedKey, key.SealedKey);
        Assert.Equal((source.Cipher, source.Epoch, source.KeyId, source.WriterId), (key.Cipher, key.Epoch, key.KeyId, key.OriginId));
        for (int g = 0; g < source.Groups.Length; g++)
        {
            Assert.Equal((1, g), (last.Groups[g].Key, last.Groups[g].Nonce));
            Assert.Equal(await world.SealedAsync(source, source.Groups[g]), await world.SealedAsync(last, last.Groups[g]));
        }

        Assert.Equal([new MovedRun(last.Pack, 0, source.Chunks.Length)], Assert.Single(twice.Moved).Runs);
    }

    /// <summary>A group of ten chunks: one that is dead goes along, two are worth the work.</summary>
    [Theory, InlineData(1, 10), InlineData(2, 8), InlineData(9, 1), InlineData(10, 0)]
    public async Task AGroupIsSealedAnewOnceAnEighthOfItIsDead(int dead, int expected)
    {
        PackFooter source = world.Put(ObjectKind.DataPack, new Random(6), Enumerable.Repeat(50_000, 10));
        Assert.Single(source.Groups);
        (PackFooter, ulong[]) chosen = (source, MoveWorld.Bits(source, i => i >= dead));

        MovedChunks moved = await world.MoveAsync(chosen);

        await world.AssertMovedAsync(moved, $"{dead} dead", chosen);
        Assert.Equal(expected, moved.NewPacks.Sum(pack => pack.Chunks.Length));
        Assert.Equal(expected, MoveWorld.PlacesOf(moved.Moved[0]).Count);
        Assert.Equal(dead == 10 ? 0 : 1, moved.NewPacks.Count);
        Assert.Equal(dead == 10 ? 0 : source.Groups[0].SealedBytes, moved.BytesRead);
    }

    [Fact]
    public async Task WhoCannotReadMovesWhatOthersRead()
    {
        var random = new Random(7);
        var prune = new ObjectSealer(MoveWorld.PruneRing(world.Ring), new SimulatedEntropy(8));
        (PackFooter Source, ulong[] Live)[] packs =
        [
            .. new[] { ObjectKind.DataPack, ObjectKind.TreePack, ObjectKind.DataPack }
                .Select(kind => world.Put(kind, random, Enumerable.Repeat(40_000, 70)))
                .Select(pack => (pack, MoveWorld.Bits(pack, i => i % 30 == 0))),
        ];
        using PackMover mover = world.Mover(prune);
        MovedChunks moved = await mover.MoveAsync(packs, null, Token);

        await world.AssertMovedAsync(moved, "moved blind", packs);
        Assert.All(moved.NewPacks, pack => Assert.Equal((0UL, 0), (pack.KeyId, pack.SealedKey.Count(b => b != 0))));
        // Whole groups: nothing else can be done with what cannot be opened.
        Assert.All(moved.Moved, pack => Assert.True(pack.Moved.Sum(System.Numerics.BitOperations.PopCount) > 3));
        var reader = new PackReader(world.Store, prune);
        HoldfastException refused = Assert.Throws<HoldfastException>(() => reader.OpenKey(moved.NewPacks[0], 1));
        Assert.Equal(ErrorKind.WrongKey, refused.Kind);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task APackOfWhichSomethingCannotBeReadStaysAndTheOthersGo(bool isGone)
    {
        var random = new Random(9);
        PackFooter[] packs = [.. Enumerable.Range(0, 3).Select(_ => world.Put(ObjectKind.DataPack, random, Enumerable.Repeat(90_000, 90)))];
        (PackFooter Source, ulong[] Live)[] chosen = [.. packs.Select(pack => (pack, MoveWorld.Bits(pack, i => i % 3 == 0)))];
        string name = packs[1].Pack.ObjectName;
        if (isGone) await world.Store.DeleteAsync(name, Token);
        else world.Store.Overwrite(name, await FlippedAsync(packs[1], packs[1].Groups[^2].Offset + 30));

        MovedChunks moved = await world.MoveAsync(chosen);

        UnmovedPack stays = Assert.Single(moved.Unmoved);
        Assert.Equal((packs[1].Pack, name), (stays.Source, stays.Damage.Thing));
        await world.AssertMovedAsync(moved with { Unmoved = [] }, "beside damage", chosen[0], chosen[2]);
    }

    /// <summary>A footer that lies about what a group holds: sealed anew, its chunk would be vouched for.</summary>
    [Fact]
    public async Task AChunkThatIsNotWhatItsIdSaysIsNotSealedAnew()
    {
        PackFooter source = world.Put(ObjectKind.DataPack, new Random(10), [1000, 1000, 1000]);
        PackChunk[] lies = [source.Chunks[0], source.Chunks[1] with { Id = source.Chunks[0].Id }, source.Chunks[2]];
        PackFooter lying = With(source, source.WriterId, [], lies);

        MovedChunks moved = await world.MoveAsync((lying, MoveWorld.Bits(source, i => i == 1)));

        Assert.Contains("chunk 1", Assert.Single(moved.Unmoved).Damage.Message, StringComparison.Ordinal);
        Assert.Empty(moved.NewPacks);
    }

    [Fact]
    public async Task TheOriginOfAGroupIsKeptAndOnlyTheWordOfTheTrustedIsPassedOn()
    {
        const ulong stranger = 99, another = 98;
        PackFooter source = world.Put(ObjectKind.DataPack, new Random(12), [1000, 1000, 1000]);
        PackFooter strange = With(source, stranger, [], source.Chunks);
        PackFooter moved = (await world.MoveAsync((strange, MoveWorld.All(strange)))).NewPacks[0];
        Assert.Equal(stranger, moved.OriginOf(moved.Groups[0]));

        // We trust ourselves to have said so.
        PackFooter again = (await world.MoveAsync((moved, MoveWorld.All(moved)))).NewPacks[0];
        Assert.Equal(stranger, again.OriginOf(again.Groups[0]));

        // A stranger may say what he likes.
        PackFooter said = With(moved, another, [moved.FurtherKeys[0] with { OriginId = world.Sealer.WriterId }], moved.Chunks);
        PackFooter last = (await world.MoveAsync((said, MoveWorld.All(said)))).NewPacks[0];
        Assert.Equal(PackKey.NoOrigin, last.OriginOf(last.Groups[0]));

        // Whoever seals anew has verified it.
        PackFooter rebuilt = (await world.MoveAsync((said, MoveWorld.Bits(said, i => i == 1)))).NewPacks[0];
        Assert.Equal(world.Sealer.WriterId, rebuilt.OriginOf(rebuilt.Groups[0]));
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public async Task APutThatFailsFailsTheMoveAndEndsEverything(int failing)
    {
        var random = new Random(13);
        PackFooter[] packs = [.. Enumerable.Range(0, 8).Select(_ => world.Put(ObjectKind.DataPack, random, Enumerable.Repeat(300_000, 60)))];
        var store = new FaultyObjectStore(world.Store);
        store.FailBefore(StoreMethod.Put, failing);
        using PackMover mover = world.Mover(store: store);

        await Assert.ThrowsAsync<Storage.ObjectStoreException>(() => mover.MoveAsync([.. packs.Select(pack => (pack, MoveWorld.All(pack)))], null, Token));

        int calls = store.CallCount(StoreMethod.Read);
        Assert.Equal(calls, store.CallCount(StoreMethod.Read));
        foreach (PackFooter pack in packs) await world.AssertReadableAsync(pack, "after a failure");
    }

    [Fact]
    public async Task AMoveCanBeCancelled()
    {
        var random = new Random(14);
        PackFooter[] packs = [.. Enumerable.Range(0, 8).Select(_ => world.Put(ObjectKind.DataPack, random, Enumerable.Repeat(300_000, 40)))];
        var store = new FaultyObjectStore(world.Store);
        using var stop = new CancellationTokenSource();
        store.Before(StoreMethod.Read, 5, _ => stop.CancelAsync());
        using PackMover mover = world.Mover(store: store);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => mover.MoveAsync([.. packs.Select(pack => (pack, MoveWorld.All(pack)))], null, stop.Token));
    }

    private async Task<byte[]> FlippedAsync(PackFooter pack, int offset)
    {
        byte[] content = (await Storage.ObjectStoreExtensions.TryGetAsync(world.Store, pack.Pack.ObjectName, PackFooter.MaxPackBytes, Token))!;
        content[offset] ^= 1;
        return content;
    }

    private static PackFooter With(PackFooter footer, ulong writer, PackKey[] keys, PackChunk[] chunks) => new()
    {
        Pack = footer.Pack,
        WriterId = writer,
        Epoch = footer.Epoch,
        Cipher = footer.Cipher,
        KeyId = footer.KeyId,
        SealedKey = footer.SealedKey,
        PackBytes = footer.PackBytes,
        FooterBytes = footer.FooterBytes,
        FurtherKeys = keys,
        Groups = footer.Groups,
        Chunks = chunks,
    };
}
