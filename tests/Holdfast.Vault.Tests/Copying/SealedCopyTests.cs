using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Copying;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Tests.Faults;
using Holdfast.Vault.Tests.Keys;
using Holdfast.Vault.Tests.Repairing;

namespace Holdfast.Vault.Tests.Copying;

/// Goal: between vaults with the same keys content goes over as it is sealed, verified where the keys allow it, and whoever copies needs
/// no key that reads it. Method: sealed bytes are compared; copies are made with keys that open nothing, and read with others; both
/// vaults' keys go on by themselves.
public sealed class SealedCopyTests
{
    private const int Seed = 20_261_124;
    private static readonly PackGroup CopiedGroup = new(PackFooter.BodyOffset, 100, 84, 0, 0, GroupCoding.Raw, Key: 1, Nonce: 0);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GroupsAreThereAsTheyAreSealed()
    {
        using RepairWorld world = await RepairWorld.CreateAsync(new Random(Seed));
        var to = new MemoryObjectStore();
        await CopyWorld.CopyAsync(world.Whole, to, isTwin: true, seed: 10);
        HashSet<string> there = [.. (await GroupsAsync(world.Whole, FaultWorld.Ring)).Select(static group => group.Bytes)];
        List<(PackFooter Footer, PackGroup Group, string Bytes)> here = await GroupsAsync(to, FaultWorld.Ring);
        Assert.NotEmpty(here);
        // What was verified has the name of who did it: else backups of other keys would not rely on it.
        Assert.All(here, group => Assert.True(there.Contains(group.Bytes) && group.Footer.OriginOf(group.Group) == group.Footer.WriterId));
        Assert.Equal(there.Count, here.Count);
    }

    /// A key that has no private half makes no plaintext, whatever the program does.
    [Theory]
    [InlineData(KeyRole.Prune)]
    [InlineData(KeyRole.List)]
    public async Task KeysThatOpenNothingCopy(KeyRole role)
    {
        using var world = new RoleWorld();
        KeyRing writer = await world.AddAsync(KeyRole.Add), reader = await world.AddAsync(role);
        byte[] content = TestKeys.Random(new Random(Seed), 700_000);
        (string path, DirectoryTree tree) = world.Source("src", ("a/file", content));
        var to = new MemoryObjectStore(world.Clock);
        byte[] id = [.. Enumerable.Repeat((byte)7, 16)];
        to.Overwrite(VaultDescriptor.Name, VaultDescriptor.Encode(id));
        KeyRing copier = world.Root.NewMember(KeyRole.Add, "copier", new SimulatedEntropy(8), world.Clock.GetUtcNow());
        await WriterStatement.PutAsync(
            to, new ObjectSealer(world.Root, new SimulatedEntropy(9)), WriterCertificate.Of(copier, KeyDirectory.NewId(new SimulatedEntropy(10))), Token);
        for (int round = 0; round < 3; round++)
        {
            await File.WriteAllBytesAsync(Path.Combine(path, $"file {round}"), TestKeys.Random(new Random(Seed + round), 1000), Token);
            await world.BackupAsync(writer, tree);
            using OpenVault from = await world.OpenAsync(reader);
            using OpenVault blind = await OpenAsync(to, id, copier, world.Clock, seed: 20 + round);
            CopySummary summary = await CopyRun.RunAsync(blind, new CopyRequest { From = from }, Token);
            Assert.Equal((1, round, 0), (summary.Points, summary.PointsThere, summary.Damaged));
            // The key that made the points is not known there; what it made is not copied again all the same.
            if (round > 0) Assert.True(summary.BytesRead < content.Length / 2, $"{summary}");
            using OpenVault vault = await OpenAsync(to, id, world.Root, world.Clock, seed: 30 + round);
            IReadOnlyList<RestorePoint> copies = await RestorePoints.ListAsync(vault, Token);
            Assert.Equal(round + 1, copies.Count);
            await FaultWorld.AssertIsAsync(vault, copies[^1], path);
        }

        // A backup there must not rely on the word of who is not known.
        using OpenVault own = await OpenAsync(to, id, world.Root, world.Clock, seed: 40);
        BackupSummary backup = await FaultWorld.BackupAsync(own, tree, Token);
        Assert.True(backup.Counts.BytesAdded >= content.Length, $"{backup.Counts}");
        // Other keys need one that reads.
        using OpenVault source = await world.OpenAsync(reader);
        using OpenVault other = CopyWorld.Open(new MemoryObjectStore(), isTwin: false, seed: 50);
        Assert.Equal(ErrorKind.WrongKey, (await Assert.ThrowsAsync<HoldfastException>(() => CopyRun.RunAsync(other, new CopyRequest { From = source }, Token))).Kind);
    }

    /// Who verified content answers for it, also where the key that stored it is not known.
    [Fact]
    public async Task ABackupReliesOnWhatACopyVerified()
    {
        using var world = new RoleWorld();
        (string path, DirectoryTree tree) = world.Source("src", ("file", TestKeys.Random(new Random(Seed), 300_000)));
        await world.BackupAsync(await world.AddAsync(KeyRole.Add), tree);
        var to = new MemoryObjectStore(world.Clock);
        using OpenVault from = await world.OpenAsync(world.Root);
        using OpenVault vault = Open(to, 7, world.Root, seed: 20);
        Assert.Equal(1, (await CopyRun.RunAsync(vault, new CopyRequest { From = from }, Token)).Points);

        BackupSummary backup = await BackupRun.RunAsync(vault, FaultWorld.Request(tree, PointKind.Full), Token);

        Assert.DoesNotContain(to.Names, name => name.StartsWith($"data/{backup.Point}", StringComparison.Ordinal));
        await FaultWorld.AssertIsAsync(vault, (await RestorePoints.ListAsync(vault, Token)).Single(point => point.Id == backup.Point), path);
    }

    /// Whoever copies, and whatever key the copies are put with: nobody answers for what nobody opened.
    [Theory]
    [InlineData(KeyRole.Prune)]
    [InlineData(KeyRole.List)]
    public async Task ABackupDoesNotRelyOnWhatNobodyVerified(KeyRole role)
    {
        using var world = new RoleWorld();
        (string path, DirectoryTree tree) = world.Source("src", ("file", TestKeys.Random(new Random(Seed), 300_000)));
        await world.BackupAsync(await world.AddAsync(KeyRole.Add), tree);
        var to = new MemoryObjectStore(world.Clock);
        using OpenVault from = await world.OpenAsync(await world.AddAsync(role));
        using OpenVault vault = Open(to, 7, world.Root, seed: 20);
        Assert.Equal(1, (await CopyRun.RunAsync(vault, new CopyRequest { From = from }, Token)).Points);

        BackupSummary backup = await BackupRun.RunAsync(vault, FaultWorld.Request(tree, PointKind.Full), Token);

        Assert.True(backup.Counts.BytesAdded >= 300_000, $"{backup.Counts}");
        await FaultWorld.AssertIsAsync(vault, (await RestorePoints.ListAsync(vault, Token)).Single(point => point.Id == backup.Point), path);
    }

    /// Who is not trusted may say of what he copied whatever he likes.
    [Fact]
    public async Task TheWordOfWhoIsNotTrustedIsNotPassedOn()
    {
        using var world = new RoleWorld();
        KeyRing thief = await world.AddAsync(KeyRole.Add);
        using OpenVault from = await world.OpenAsync(world.Root);
        using OpenVault to = Open(new MemoryObjectStore(world.Clock), 7, world.Root, seed: 20);
        var groups = new SealedGroups(from, to, SharedKeys.Of(from, to)!);
        ulong root = from.Sealer.WriterId, stolen = new ObjectSealer(thief, new SimulatedEntropy(1)).WriterId, third = 3;

        Assert.Equal(PackKey.NoOrigin, groups.OriginThere(FooterOf(stolen, root), CopiedGroup));
        Assert.Equal(third, groups.OriginThere(FooterOf(root, third), CopiedGroup));
        Assert.Equal(stolen, groups.OriginThere(FooterOf(stolen, root), CopiedGroup with { Key = 0 }));
        Assert.Equal(PackKey.NoOrigin, groups.KeyHere(FooterOf(stolen, root), CopiedGroup, isProved: false).OriginId);
        Assert.Equal(third, groups.KeyHere(FooterOf(root, third), CopiedGroup, isProved: false).OriginId);
        Assert.Equal(root, groups.KeyHere(FooterOf(stolen, third), CopiedGroup, isProved: true).OriginId);

        static PackFooter FooterOf(ulong writer, ulong origin) => new()
        {
            Pack = new PackId(ObjectKind.DataPack, default, 0),
            WriterId = writer,
            Epoch = 1,
            Cipher = CipherKind.AesGcm,
            KeyId = 1,
            SealedKey = new byte[PackFooter.SealedKeyBytes],
            PackBytes = 1000,
            FooterBytes = 100,
            FurtherKeys = [new PackKey(CipherKind.AesGcm, 1, 1, origin, new byte[PackFooter.SealedKeyBytes])],
            Groups = [CopiedGroup],
            Chunks = [],
        };
    }

    /// References that do not fit the pack that they name lead to other chunks than are meant.
    [Fact]
    public async Task AWrongCountOfChunksIsNotBelieved()
    {
        using RepairWorld world = await RepairWorld.CreateAsync(new Random(Seed));
        MemoryObjectStore from = await RepairWorld.CopyAsync(world.Whole);
        SessionId last = world.Oracle.Points[2].Id;
        using (OpenVault vault = await FaultWorld.OpenAsync(from, seed: 1))
        {
            ReferenceSet known = (await ReferenceSet.TryReadAsync(vault, last, Token))!;
            var wrong = new ReferenceSet();
            foreach (PackId pack in known.Packs)
            {
                int count = known.ChunkCountOf(pack);
                for (int ordinal = 0; ordinal < count; ordinal++)
                {
                    if (known.Contains(pack, ordinal)) wrong.Add(pack, pack.Session == last ? count + 70 : count, ordinal);
                }
            }

            from.Overwrite(ReferenceSet.Name(last), vault.Sealer.Seal(ObjectKind.References, ReferenceSet.Name(last), wrong.Encode()));
        }

        // With a key that reads, trees say what is needed.
        var to = new MemoryObjectStore();
        Assert.Equal((3, 0), await CopyWorld.CopyAsync(from, to, isTwin: true, seed: 10) is var whole ? (whole.Points, whole.Damaged) : default);
        await CopyWorld.AssertCopiedAsync(world, to, isTwin: true, [0, 1, 2], $"seed {Seed}");

        var blind = new MemoryObjectStore();
        KeyRing prune = FaultWorld.Ring.NewMember(KeyRole.Prune, "prune", new SimulatedEntropy(5), DateTimeOffset.UnixEpoch);
        using OpenVault there = Open(from, 1, prune, seed: 3);
        using OpenVault here = Open(blind, 2, FaultWorld.Ring, seed: 4);
        Assert.Equal((2, 1), await CopyRun.RunAsync(here, new CopyRequest { From = there }, Token) is var part ? (part.Points, part.Damaged) : default);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task VaultsWhoseKeysWentOnApartAreCopied(bool rotatesThere, bool rotatesHere)
    {
        (string path, MemoryObjectStore from, MemoryObjectStore to, KeyRing there, KeyRing here, FaultWorld sources, DirectoryTree tree) = await BeginAsync();
        using FaultWorld owner = sources;
        byte[] same = FaultWorld.Ring.Current.Identity!;
        if (rotatesThere) there = there.WithEpochs([KeyEpoch.Create(2, new SimulatedEntropy(60), same)]);
        if (rotatesHere) here = here.WithEpochs([KeyEpoch.Create(2, new SimulatedEntropy(61), same)]);
        await CopySecondAsync(path, from, to, there, here, tree);
        // What there is sealed under a key that is not known here was sealed anew.
        Assert.All((await GroupsAsync(to, here)).Select(static group => group.Footer.KeyOf(group.Group)), key => Assert.True(key.Epoch == 1 || key.KeyId == here.Current.KeyIdFor(ObjectKind.DataPack) || key.KeyId == here.Current.KeyIdFor(ObjectKind.TreePack)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task VaultsOfWhichOneNamesContentOtherwiseByNowAreCopied(bool renewsThere)
    {
        (string path, MemoryObjectStore from, MemoryObjectStore to, KeyRing there, KeyRing here, FaultWorld sources, DirectoryTree tree) = await BeginAsync();
        using FaultWorld owner = sources;
        KeyEpoch next = KeyEpoch.Create(2, new SimulatedEntropy(60));
        if (renewsThere) there = there.WithEpochs([next]);
        else here = here.WithEpochs([next]);
        await CopySecondAsync(path, from, to, there, here, tree);
    }

    /// Its seal is whole, and the writer's signature: only its name tells.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AChunkThatIsNotWhatItsIdSaysIsNotCopied(bool isTwin)
    {
        using RepairWorld world = await RepairWorld.CreateAsync(new Random(Seed));
        MemoryObjectStore from = await RepairWorld.CopyAsync(world.Whole);
        SessionId last = world.Oracle.Points[2].Id;
        using (OpenVault vault = await FaultWorld.OpenAsync(from, seed: 1))
        using (var builder = new PackBuilder(vault.Sealer, level: 3))
        {
            PackFooter pack = world.Oracle.Packs.First(pack => pack.Pack.Kind == ObjectKind.DataPack && pack.Pack.Session == last);
            builder.Begin(pack.Pack);
            foreach (PackChunk chunk in pack.Chunks)
            {
                byte[] content = (await vault.DataChunks.FetchAsync(chunk.Id, Token)).ToArray();
                content[^1] ^= 1;
                builder.Add(chunk.Id, content);
            }

            builder.Finish(out ReadOnlyMemory<byte> made);
            from.Overwrite(pack.Pack.ObjectName, made.ToArray());
        }

        var to = new MemoryObjectStore();
        var notices = new List<ItemNotice>();
        CopySummary summary = await CopyWorld.CopyAsync(from, to, isTwin, seed: 10, request => request with { OnNotice = notices.Add });
        Assert.Equal((2, 1), (summary.Points, summary.Damaged));
        Assert.Contains("not what its id says", Assert.Single(notices).Message, StringComparison.Ordinal);
        await CopyWorld.AssertCopiedAsync(world, to, isTwin, [0, 1], $"seed {Seed}");
    }

    /// Where a prune moved chunks, references still name the old places.
    [Fact]
    public async Task WhatAPruneMovedIsCopiedFromWhereItIsNow()
    {
        using RepairWorld world = await RepairWorld.CreateAsync(new Random(Seed));
        MemoryObjectStore from = await RepairWorld.CopyAsync(world.Whole);
        using (OpenVault vault = await FaultWorld.OpenAsync(from, seed: 1))
        {
            await ForgetRun.RunAsync(vault, new ForgetRequest { Points = [world.Oracle.Points[0].Id], Zone = TimeZoneInfo.Utc, AllowsEmptyGroups = true }, Token);
            await PruneRun.RunAsync(vault, new PruneRequest { Host = "here", MaxUnusedShare = 0 }, Token);
        }

        Assert.Contains(from.Names, static name => name.StartsWith("removals/", StringComparison.Ordinal));
        var to = new MemoryObjectStore();
        Assert.Equal(2, (await CopyWorld.CopyAsync(from, to, isTwin: true, seed: 10)).Points);
        await CopyWorld.AssertCopiedAsync(world, to, isTwin: true, [1, 2], $"seed {Seed}");
        // As they are sealed: not by the way through the trees.
        HashSet<string> there = [.. (await GroupsAsync(from, FaultWorld.Ring)).Select(static group => group.Bytes)];
        Assert.Contains(await GroupsAsync(to, FaultWorld.Ring), group => there.Contains(group.Bytes));
        KeyRing prune = FaultWorld.Ring.NewMember(KeyRole.Prune, "prune", new SimulatedEntropy(5), DateTimeOffset.UnixEpoch);
        using OpenVault blind = Open(from, 1, prune, seed: 3);
        using OpenVault here = Open(new MemoryObjectStore(), 2, FaultWorld.Ring, seed: 4);
        Assert.Equal((2, 0), await CopyRun.RunAsync(here, new CopyRequest { From = blind }, Token) is var copied ? (copied.Points, copied.Damaged) : default);
    }

    /// A damaged references object names nothing; trees do.
    [Fact]
    public async Task APointWithoutReferencesIsCopiedByItsTree()
    {
        using RepairWorld world = await RepairWorld.CreateAsync(new Random(Seed));
        MemoryObjectStore from = await RepairWorld.CopyAsync(world.Whole);
        await from.DeleteAsync($"refs/{world.Oracle.Points[1].Id}", Token);
        var to = new MemoryObjectStore();
        Assert.Equal(3, (await CopyWorld.CopyAsync(from, to, isTwin: true, seed: 10)).Points);
        await CopyWorld.AssertCopiedAsync(world, to, isTwin: true, [0, 1, 2], $"seed {Seed}");
    }

    private static Task<OpenVault> OpenAsync(IObjectStore store, byte[] id, KeyRing ring, TimeProvider clock, int seed) => OpenVault.OpenAsync(
        new Host(new SimulatedDisk(seed), clock, new SimulatedEntropy(seed)), store, id, "0000000000000000", ring, 4 << 20, Token);

    private static OpenVault Open(IObjectStore store, byte number, KeyRing ring, int seed) => OpenVault.Open(
        new Host(new SimulatedDisk(seed), TimeProvider.System, new SimulatedEntropy(seed)), store, [.. Enumerable.Repeat(number, 16)], "0000000000000000", ring, 4 << 20);

    /// Two vaults of the same keys, one point in both.
    private static async Task<(string Path, MemoryObjectStore From, MemoryObjectStore To, KeyRing There, KeyRing Here, FaultWorld Sources, DirectoryTree Tree)> BeginAsync()
    {
        var sources = new FaultWorld();
        (string path, DirectoryTree tree) = sources.Source("src", ("one", TestKeys.Random(new Random(Seed), 300_000)), ("two", TestKeys.Random(new Random(Seed + 1), 5000)));
        MemoryObjectStore from = new(), to = new();
        using OpenVault source = Open(from, 1, FaultWorld.Ring, seed: 1);
        using OpenVault target = Open(to, 2, FaultWorld.Ring, seed: 2);
        await FaultWorld.BackupAsync(source, tree, Token);
        await CopyRun.RunAsync(target, new CopyRequest { From = source }, Token);
        return (path, from, to, FaultWorld.Ring, FaultWorld.Ring, sources, tree);
    }

    private static async Task CopySecondAsync(string path, MemoryObjectStore from, MemoryObjectStore to, KeyRing there, KeyRing here, DirectoryTree tree)
    {
        await File.WriteAllBytesAsync(Path.Combine(path, "three"), TestKeys.Random(new Random(Seed + 2), 200_000), Token);
        using OpenVault source = Open(from, 1, there, seed: 3);
        using OpenVault target = Open(to, 2, here, seed: 4);
        await FaultWorld.BackupAsync(source, tree, Token);
        CopySummary summary = await CopyRun.RunAsync(target, new CopyRequest { From = source }, Token);
        Assert.Equal((1, 1, 0), (summary.Points, summary.PointsThere, summary.Damaged));
        using OpenVault again = Open(to, 2, here, seed: 5);
        IReadOnlyList<RestorePoint> copies = await RestorePoints.ListAsync(again, Token);
        Assert.Equal(2, copies.Count);
        await FaultWorld.AssertIsAsync(again, copies[1], path);
        Assert.Empty(again.Damages);
    }

    private static async Task<List<(PackFooter Footer, PackGroup Group, string Bytes)>> GroupsAsync(MemoryObjectStore store, KeyRing ring)
    {
        using OpenVault vault = Open(store, 9, ring, seed: 9);
        var groups = new List<(PackFooter, PackGroup, string)>();
        await foreach (ObjectEntry entry in store.ListAsync("", Token))
        {
            if (!PackId.TryParse(entry.Name, out PackId pack)) continue;
            PackFooter footer = (await vault.Index.TryGetFooterAsync(pack, Token))!;
            foreach (PackGroup group in footer.Groups)
            {
                byte[] bytes = new byte[group.SealedBytes];
                await store.ReadAsync(pack.ObjectName, group.Offset, bytes, Token);
                groups.Add((footer, group, Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(bytes))));
            }
        }

        return groups;
    }
}
