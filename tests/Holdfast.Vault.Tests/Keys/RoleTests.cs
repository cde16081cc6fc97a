using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Tests.Faults;
using Holdfast.Vault.Tests.Hostile;

namespace Holdfast.Vault.Tests.Keys;

/// <summary>What each role can do, and what it cannot: also with a client that heeds no rule and only has the ring's keys.</summary>
public sealed class RoleTests : IDisposable
{
    private static readonly byte[] Content = TestKeys.Content(3000);
    private readonly RoleWorld world = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    [Theory]
    [InlineData(KeyRole.Admin, "a b C c D d")]
    [InlineData(KeyRole.Add, "a b C D")]
    [InlineData(KeyRole.List, "b C c")]
    [InlineData(KeyRole.Restore, "a b C c D d")]
    [InlineData(KeyRole.Prune, "b")]
    public void EachRoleHasTheKeysOfItsRowAndNoOthers(KeyRole role, string expected)
    {
        KeyRing ring = world.Root.NewMember(role, "x", new SimulatedEntropy(5), SimulatedClock.DefaultStart);

        (string Name, byte[]? Key)[] keys =
        [
            ("a", ring.Current.Identity), ("b", ring.Current.Index), ("C", ring.Current.TreesPublic), ("c", ring.Current.TreesPrivate),
            ("D", ring.Current.DataPublic), ("d", ring.Current.DataPrivate),
        ];
        Assert.Equal(expected, string.Join(' ', keys.Where(key => key.Key is not null).Select(key => key.Name)));
        Assert.NotEqual(world.Root.WriterSeed, ring.WriterSeed);
        Assert.Equal(world.Root.AdminPublicKey, ring.AdminPublicKey);
    }

    [Theory]
    [InlineData(KeyRole.Admin, "SeePoints Backup ReadTrees ReadData MarkPoints Prune Rewrap Repair")]
    [InlineData(KeyRole.Add, "SeePoints Backup")]
    [InlineData(KeyRole.List, "SeePoints ReadTrees")]
    [InlineData(KeyRole.Restore, "SeePoints ReadTrees ReadData")]
    [InlineData(KeyRole.Prune, "SeePoints Prune")]
    public async Task EachRoleIsToldAtOnceWhatItMayNot(KeyRole role, string allowed)
    {
        using OpenVault vault = await world.OpenAsync(await world.AddAsync(role));
        foreach (VaultUse use in Enum.GetValues<VaultUse>())
        {
            Exception? refused = Record.Exception(() => vault.Require(use));
            Assert.Equal(allowed.Split(' ').Contains(use.ToString()), refused is null);
            if (refused is not null) Assert.Equal(ErrorKind.WrongKey, Assert.IsType<HoldfastException>(refused).Kind);
        }
    }

    [Theory]
    [InlineData(KeyRole.Admin)]
    [InlineData(KeyRole.Add)]
    [InlineData(KeyRole.List)]
    [InlineData(KeyRole.Restore)]
    [InlineData(KeyRole.Prune)]
    public async Task EachRoleMayAskWhatAPruneWouldDelete(KeyRole role)
    {
        (_, DirectoryTree tree) = world.Source("src", ("file", Content));
        SessionId point = await world.BackupAsync(world.Root, tree);
        using (OpenVault root = await world.OpenAsync(world.Root))
        {
            await ForgetRun.RunAsync(root, new ForgetRequest { Points = [point], Zone = TimeZoneInfo.Utc, AllowsEmptyGroups = true }, Token);
        }

        using OpenVault vault = await world.OpenAsync(await world.AddAsync(role));

        PrunePlan plan = await PruneRun.PlanAsync(vault, new PruneRequest { UndeleteWindow = TimeSpan.Zero }, Token);

        Assert.Equal((1, 2), (plan.Points, plan.UnneededPacks));
    }

    [Theory]
    [InlineData(KeyRole.Add)]
    [InlineData(KeyRole.Admin)]
    public async Task WhoMayNotManageKeysIsSentToTheFirstAdminsKey(KeyRole role)
    {
        using OpenVault vault = await world.OpenAsync(await world.AddAsync(role));

        HoldfastException refused = Assert.Throws<HoldfastException>(() => vault.Require(VaultUse.ManageKeys));

        Assert.Contains("first admin's", $"{refused.Message} {refused.Hint}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnAddKeyMakesPointsThatItCannotRead()
    {
        KeyRing add = await world.AddAsync(KeyRole.Add);
        (string path, DirectoryTree tree) = world.Source("src", ("file", Content));

        SessionId point = await world.BackupAsync(add, tree);

        await world.AssertIsAsync(world.Root, point, path);
        await world.AssertIsAsync(await world.AddAsync(KeyRole.Restore), point, path);
        using OpenVault vault = await world.OpenAsync(add);
        RestorePoint seen = Assert.Single(await RestorePoints.ListAsync(vault, Token));
        Assert.Equal(ErrorKind.WrongKey, (await Assert.ThrowsAsync<HoldfastException>(() => FaultWorld.ReadAsync(vault, seen))).Kind);
        Assert.False(await world.CanOpenByForceAsync(add, Assert.Single(world.Packs(ObjectKind.DataPack))));
        Assert.False(await world.CanOpenByForceAsync(add, Assert.Single(world.Packs(ObjectKind.TreePack))));
    }

    [Fact]
    public async Task AnAddKeyReadsEverythingAgainButStoresNothingTwice()
    {
        KeyRing add = await world.AddAsync(KeyRole.Add);
        (string path, DirectoryTree tree) = world.Source("src", ("file", Content));
        SessionId first = await world.BackupAsync(add, tree);
        using OpenVault vault = await world.OpenAsync(add);

        BackupSummary second = await FaultWorld.BackupAsync(vault, tree, Token);

        Assert.Equal((PointKind.Full, null), (second.Kind, second.Base));
        Assert.Equal((Content.Length, 0), (second.Counts.BytesRead, second.Counts.BytesAdded));
        await world.AssertIsAsync(world.Root, first, path);
        await world.AssertIsAsync(world.Root, second.Point!.Value, path);
    }

    [Fact]
    public async Task AListKeySeesNamesButNoContent()
    {
        (_, DirectoryTree tree) = world.Source("src", ("file", Content));
        await world.BackupAsync(world.Root, tree);
        KeyRing list = await world.AddAsync(KeyRole.List);
        using OpenVault vault = await world.OpenAsync(list);
        RestorePoint point = Assert.Single(await RestorePoints.ListAsync(vault, Token));

        List<PointEntry> entries = await PointTree.ListAsync(vault, point, ReadOnlyMemory<byte>.Empty, recursive: true, Token).ToListAsync(Token);

        Assert.Contains(entries, entry => entry.Path.Span.EndsWith("file"u8));
        Assert.Equal(ErrorKind.WrongKey, (await Assert.ThrowsAsync<HoldfastException>(() => FaultWorld.ReadAsync(vault, point))).Kind);
        Assert.False(await world.CanOpenByForceAsync(list, Assert.Single(world.Packs(ObjectKind.DataPack))));
        Assert.True(await world.CanOpenByForceAsync(list, Assert.Single(world.Packs(ObjectKind.TreePack))));
    }

    [Fact]
    public async Task APruneKeySeesPointsButNeitherNamesNorContent()
    {
        (_, DirectoryTree tree) = world.Source("src", ("file", Content));
        await world.BackupAsync(world.Root, tree);
        KeyRing prune = await world.AddAsync(KeyRole.Prune);
        using OpenVault vault = await world.OpenAsync(prune);

        RestorePoint point = Assert.Single(await RestorePoints.ListAsync(vault, Token));

        Assert.NotNull(await ReferenceSet.TryReadAsync(vault, point.References, Token));
        await Assert.ThrowsAsync<HoldfastException>(() => vault.Trees.ReadDirectoryAsync(point.Tree, isPointRoot: true, Token).AsTask());
        Assert.False(await world.CanOpenByForceAsync(prune, Assert.Single(world.Packs(ObjectKind.DataPack))));
        Assert.False(await world.CanOpenByForceAsync(prune, Assert.Single(world.Packs(ObjectKind.TreePack))));
    }

    /// <summary>A stolen add key says of a pack of its own that it holds another's chunk.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AChunkUnderAWrongIdOfAnAddKeyReachesNobodyElse(bool indexed)
    {
        KeyRing thief = await world.AddAsync(KeyRole.Add), other = await world.AddAsync(KeyRole.Add);
        (string path, DirectoryTree tree) = world.Source("src", ("file", Content));
        ChunkId id = world.Root.Current.DataIdentity().Of(Content);
        var forge = new VaultForge(world.Store, thief, seed: 9);
        byte[] wrong = new byte[Content.Length];
        PackFooter forged = forge.PutPack(
            new PackId(ObjectKind.DataPack, forge.NextSession(), 0), [new ForgedGroup(wrong, wrong.Length, (byte)GroupCoding.Raw, [(id, wrong.Length)])]);
        if (indexed)
        {
            string name = IndexObject.Name(forged.Pack.Session, 0);
            world.Store.Overwrite(name, IndexObject.Build(forge.Sealer, name, [forged]));
        }

        // In this order: what an admin stored, the other would reuse.
        foreach (KeyRing ring in (KeyRing[])[other, world.Root])
        {
            using OpenVault vault = await world.OpenAsync(ring);
            BackupSummary made = await FaultWorld.BackupAsync(vault, tree, Token);

            Assert.True(made.Counts.BytesAdded >= Content.Length, $"added {made.Counts.BytesAdded}");
            await world.AssertIsAsync(world.Root, made.Point!.Value, path);
            await world.AssertIsAsync(await world.AddAsync(KeyRole.Restore), made.Point!.Value, path);
        }
    }

    [Fact]
    public async Task WhatAnAdminStoredOthersReuseButNotWhatAnotherAddKeyStored()
    {
        KeyRing one = await world.AddAsync(KeyRole.Add), two = await world.AddAsync(KeyRole.Add), admin = await world.AddAsync(KeyRole.Admin);
        (_, DirectoryTree tree) = world.Source("src", ("file", Content));
        await world.BackupAsync(one, tree);

        foreach ((KeyRing ring, bool stores) in ((KeyRing, bool)[])[(two, true), (admin, true), (world.Root, false), (await world.AddAsync(KeyRole.Add), false)])
        {
            using OpenVault vault = await world.OpenAsync(ring);
            BackupSummary made = await FaultWorld.BackupAsync(vault, tree, Token);
            Assert.Equal(stores, made.Counts.BytesAdded > 0);
        }
    }

    /// <summary>A prune key's word is taken for where chunks are, not for what they are; and it has no key to make any.</summary>
    [Fact]
    public async Task WhatAPruneKeyMovedIsReusedByThoseWhoTrustWhoMadeIt()
    {
        KeyRing add = await world.AddAsync(KeyRole.Add), prune = await world.AddAsync(KeyRole.Prune);
        (_, DirectoryTree ours) = world.Source("ours", ("file", Content));
        (_, DirectoryTree theirs) = world.Source("theirs", ("file", TestKeys.Content(5000)[1000..]));
        await world.BackupAsync(world.Root, ours);
        await world.BackupAsync(add, theirs);
        using (OpenVault vault = await world.OpenAsync(prune))
        {
            var packs = new List<(PackFooter Source, ulong[] Live)>();
            foreach (PackId pack in world.Packs(ObjectKind.DataPack)) packs.Add(((await vault.Index.TryGetFooterAsync(pack, Token))!, [1UL]));
            using var mover = new PackMover(vault, new SessionId(5, 5));
            MovedChunks moved = await mover.MoveAsync(packs, null, Token);
            Assert.Empty(moved.Unmoved);
            string name = IndexObject.Name(new SessionId(5, 5), 0);
            world.Store.Overwrite(name, IndexObject.Build(vault.Sealer, name, [.. moved.NewPacks]));
            foreach ((PackFooter source, _) in packs) await world.Store.DeleteAsync(source.Pack.ObjectName, Token);
        }

        foreach ((KeyRing ring, DirectoryTree tree, bool stores) in ((KeyRing, DirectoryTree, bool)[])
            [(world.Root, ours, false), (add, ours, false), (add, theirs, false), (world.Root, theirs, true)])
        {
            using OpenVault vault = await world.OpenAsync(ring);
            BackupSummary made = await BackupRun.RunAsync(vault, FaultWorld.Request(tree, PointKind.Full), Token);
            long data = world.Packs(ObjectKind.DataPack).Count(pack => pack.Session == made.Point!.Value);
            Assert.Equal(stores ? 1 : 0, data);
        }

        using OpenVault blind = await world.OpenAsync(prune);
        using var builder = new PackBuilder(blind.Sealer, Compressor.DefaultLevel);
        Assert.Equal(ErrorKind.WrongKey, Assert.Throws<HoldfastException>(() => builder.Begin(new PackId(ObjectKind.DataPack, new SessionId(6, 6), 0))).Kind);
    }

    /// <summary>Else a thief could say that a file is unchanged, and name the content of another.</summary>
    [Fact]
    public async Task APointOfAnotherAddKeyIsNotBuiltOn()
    {
        (string path, DirectoryTree tree) = world.Source("src", ("file", Content));
        SessionId theirs = await world.BackupAsync(await world.AddAsync(KeyRole.Add), tree);
        using OpenVault vault = await world.OpenAsync(world.Root);

        BackupSummary ours = await FaultWorld.BackupAsync(vault, tree, Token), next = await FaultWorld.BackupAsync(vault, tree, Token);

        Assert.Null(ours.Base);
        Assert.Equal(ours.Point, next.Base);
        await world.AssertIsAsync(world.Root, ours.Point!.Value, path);
        await world.AssertIsAsync(world.Root, theirs, path);
    }

    [Theory]
    [InlineData(KeyRole.List)]
    [InlineData(KeyRole.Restore)]
    [InlineData(KeyRole.Prune)]
    public async Task AKeyThatMayNotMakePointsMakesNoneThatCounts(KeyRole role)
    {
        (_, DirectoryTree tree) = world.Source("src", ("file", Content));
        SessionId point = await world.BackupAsync(world.Root, tree);
        KeyRing ring = await world.AddAsync(role);
        byte[] body = new ObjectSealer(world.Root, new SimulatedEntropy(1)).Open(ObjectKind.Point, PointCodec.Name(point), Whole(PointCodec.Name(point))).Body;
        Put(ObjectKind.Point, PointCodec.Name(new SessionId(1, 2)), body, ring);

        using OpenVault vault = await world.OpenAsync(world.Root);

        Assert.Equal([point], (await RestorePoints.ListAsync(vault, Token)).Select(each => each.Id));
        Assert.Contains("which may not", vault.UnreadablePoints[new SessionId(1, 2)].Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(KeyRole.Add)]
    [InlineData(KeyRole.Prune)]
    [InlineData(KeyRole.Restore)]
    public async Task WhoIsNoAdminForgetsAndHoldsNothing(KeyRole role)
    {
        (_, DirectoryTree tree) = world.Source("src", ("file", Content));
        SessionId point = await world.BackupAsync(world.Root, tree);
        KeyRing ring = await world.AddAsync(role);
        uint number = 0;
        foreach (MarkKind kind in (MarkKind[])[MarkKind.Hold, MarkKind.Forget, MarkKind.Condemn])
        {
            Put(ObjectKind.Mark, PointMark.Name(number++), new PointMark(kind, SimulatedClock.DefaultStart, null, "", [point]).Encode(), ring);
        }

        using OpenVault vault = await world.OpenAsync(world.Root);
        RestorePoint seen = Assert.Single(await RestorePoints.ListAsync(vault, Token));

        Assert.Null(seen.Hold);
        Assert.Empty(vault.Damages);
        using OpenVault theirs = await world.OpenAsync(ring);
        var request = new ForgetRequest { Points = [point], AllowsEmptyGroups = true, Zone = TimeZoneInfo.Utc };
        Assert.Equal(ErrorKind.WrongKey, (await Assert.ThrowsAsync<HoldfastException>(() => ForgetRun.RunAsync(theirs, request, Token))).Kind);
        Assert.Single((await ForgetRun.RunAsync(vault, request, Token)).Dropped);
    }

    [Fact]
    public async Task APruneKeyCondemnsWhatAnAdminForgot()
    {
        (_, DirectoryTree tree) = world.Source("src", ("file", Content));
        SessionId point = await world.BackupAsync(world.Root, tree);
        using OpenVault vault = await world.OpenAsync(world.Root);
        await ForgetRun.RunAsync(vault, new ForgetRequest { Points = [point], AllowsEmptyGroups = true, Zone = TimeZoneInfo.Utc }, Token);
        byte[] condemn = new PointMark(MarkKind.Condemn, SimulatedClock.DefaultStart, null, "", [point]).Encode();

        Put(ObjectKind.Mark, PointMark.Name(1), condemn, await world.AddAsync(KeyRole.Add));
        using (OpenVault knowing = await world.OpenAsync(world.Root))
        {
            PointMarks marks = await PointMarks.ReadAsync(knowing, Token);
            Assert.Equal((false, null), (marks.IsCondemned(point), marks.Damage));
        }

        KeyRing prune = await world.AddAsync(KeyRole.Prune);
        Put(ObjectKind.Mark, PointMark.Name(2), condemn, prune);

        using OpenVault again = await world.OpenAsync(world.Root);
        Assert.True((await PointMarks.ReadAsync(again, Token)).IsCondemned(point));
    }

    [Fact]
    public async Task APruneKeyFreesWhatNobodyNeedsAndNothingElse()
    {
        KeyRing add = await world.AddAsync(KeyRole.Add), prune = await world.AddAsync(KeyRole.Prune);
        (_, DirectoryTree gone) = world.Source("gone", ("file", Content));
        (string path, DirectoryTree tree) = world.Source("src", ("file", TestKeys.Content(9000)[4000..]));
        SessionId forgotten = await world.BackupAsync(add, gone), point = await world.BackupAsync(add, tree);
        using (OpenVault vault = await world.OpenAsync(world.Root))
        {
            await ForgetRun.RunAsync(vault, new ForgetRequest { Points = [forgotten], AllowsEmptyGroups = true, Zone = TimeZoneInfo.Utc }, Token);
        }

        world.Clock.Advance(TimeSpan.FromMinutes(1));
        using (OpenVault vault = await world.OpenAsync(prune))
        {
            PruneSummary done = await PruneRun.RunAsync(vault, new PruneRequest { Host = "pruner", MaxUnusedBytes = 0 }, Token);
            Assert.Equal(1, done.Points);
        }

        Assert.Single(world.Packs(ObjectKind.DataPack), pack => pack.Session == point);
        await world.AssertIsAsync(world.Root, point, path);
        using OpenVault theirs = await world.OpenAsync(add);
        var request = new PruneRequest { Host = "thief" };
        Assert.Equal(ErrorKind.WrongKey, (await Assert.ThrowsAsync<HoldfastException>(() => PruneRun.RunAsync(theirs, request, Token))).Kind);
    }

    [Theory]
    [InlineData(KeyRole.Add)]
    [InlineData(KeyRole.Restore)]
    public async Task WhoMayNotFreeSpaceRemovesNothing(KeyRole role)
    {
        (string path, DirectoryTree tree) = world.Source("src", ("file", Content));
        SessionId point = await world.BackupAsync(world.Root, tree);
        PackId pack = Assert.Single(world.Packs(ObjectKind.DataPack));
        var removal = new RemovalRecord(SimulatedClock.DefaultStart, ReplacesAll: true, [PackRemoval.Condemn(pack, 0) with { Verdict = RemovalVerdict.Gone }], []);
        Put(ObjectKind.Removal, RemovalRecord.Name(0), removal.Encode(), await world.AddAsync(role));

        using OpenVault vault = await world.OpenAsync(world.Root);
        Removals removals = await Removals.ReadAsync(vault, null, Token);

        Assert.Equal((false, null, 1U), (removals.IsRemoved(pack), removals.Damage, removals.Next));
        BackupSummary next = await BackupRun.RunAsync(vault, FaultWorld.Request(tree, PointKind.Full), Token);
        Assert.Equal(0, next.Counts.BytesAdded);
        await world.AssertIsAsync(world.Root, point, path);
    }

    [Fact]
    public async Task WhatIsSignedInTheAdminsNameByAnotherIsDamage()
    {
        KeyRing add = await world.AddAsync(KeyRole.Add);
        ulong admin = new ObjectSealer(world.Root, new SimulatedEntropy(1)).WriterId;
        string name = PointCodec.Name(new SessionId(1, 2));
        byte[] content = new ObjectSealer(add, new SimulatedEntropy(1)).Seal(ObjectKind.Point, name, [1]);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(content.AsSpan(24), admin);

        var error = Assert.Throws<DamageException>(() => new ObjectSealer(world.Root, new SimulatedEntropy(1)).Open(ObjectKind.Point, name, content));

        Assert.Contains("signature does not fit", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(KeyRole.Add)]
    [InlineData(KeyRole.Admin)]
    public async Task OnlyTheFirstAdminCertifiesAndRevokes(KeyRole role)
    {
        KeyRing ring = await world.AddAsync(role), victim = await world.AddAsync(KeyRole.Add);
        var sealer = new ObjectSealer(ring, new SimulatedEntropy(3));
        KeyRing invented = ring.NewMember(KeyRole.Admin, "invented", new SimulatedEntropy(4), SimulatedClock.DefaultStart);
        await WriterStatement.PutAsync(world.Store, sealer, WriterCertificate.Of(invented, "0123456789abcdef"), Token);
        // Of itself it may say that it has a further slot, but not that it may do more.
        await WriterStatement.PutAsync(world.Store, sealer, WriterCertificate.Of(ring, "0000000000000001") with { Role = KeyRole.Prune }, Token);
        var revocation = new WriterRevocation(new ObjectSealer(victim, new SimulatedEntropy(1)).WriterId, 0, 0, 0, []);
        await WriterStatement.PutAsync(world.Store, sealer, revocation, Token);

        using OpenVault vault = await world.OpenAsync(world.Root);

        WriterBook book = vault.Sealer.Writers;
        Assert.Null(book.Find(WriterCertificate.Of(invented, "0123456789abcdef").WriterId));
        Assert.Equal(role, book.Find(sealer.WriterId)!.Role);
        Assert.NotNull(book.OfSlot("0000000000000001"));
        Assert.False(book.Find(revocation.WriterId)!.IsRevoked);
        using OpenVault theirs = await world.OpenAsync(ring);
        Assert.Equal(ErrorKind.WrongKey, Assert.Throws<HoldfastException>(() => theirs.Require(VaultUse.ManageKeys)).Kind);
    }

    [Fact]
    public async Task AKeyWhoseCertificateIsLostWritesNothing()
    {
        KeyRing add = await world.AddAsync(KeyRole.Add);
        foreach (string name in world.Store.Names.Where(name => name.StartsWith(WriterStatement.Prefix, StringComparison.Ordinal)).ToArray())
        {
            await world.Store.DeleteAsync(name, Token);
        }

        using OpenVault vault = await world.OpenAsync(add);

        Assert.Equal(ErrorKind.WrongKey, Assert.Throws<HoldfastException>(() => vault.Require(VaultUse.Backup)).Kind);
    }

    private void Put(ObjectKind kind, string name, byte[] body, KeyRing ring) =>
        world.Store.Overwrite(name, new ObjectSealer(ring, new SimulatedEntropy(name.Length)).Seal(kind, name, body));

    private byte[] Whole(string name) => world.Store.TryGetAsync(name, 1 << 20, Token).GetAwaiter().GetResult()!;
}
