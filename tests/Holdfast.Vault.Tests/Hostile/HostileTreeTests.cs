using Holdfast.Testing;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Tests.Faults;
using Holdfast.Vault.Trees;
using static Holdfast.Vault.Tests.Hostile.VaultForge;

namespace Holdfast.Vault.Tests.Hostile;

/// Goal: whatever somebody with a writer's key put into a vault, every verb that reads comes to an end, within memory, with
/// success or a complaint of damage, and writes nothing outside of its target.
/// Alone, as it looks at the memory of the whole process.
[Collection(nameof(HostileTreeTests))]
[CollectionDefinition(nameof(HostileTreeTests), DisableParallelization = true)]
public sealed class HostileTreeTests
{
    private const long MaxAllocatedBytes = 2L << 30;

    public static TheoryData<string> Names => [.. HostileTrees.All.Select(hostile => hostile.Name)];

    [Theory, MemberData(nameof(Names))]
    public async Task EveryVerbEndsWithinMemoryAndComplains(string name)
    {
        HostileCase hostile = HostileTrees.All.Single(candidate => candidate.Name == name);
        foreach (string verb in HostileVerbs.All)
        {
            // It derives a key each time: only where it must complain.
            if (verb == "export" && !hostile.Complaints.Contains(verb)) continue;
            (string? complaint, long allocated) = await RunAsync(verb, hostile.Forge);

            if (hostile.Complaints.Contains(verb)) Assert.True(complaint is not null, $"{verb}: complains of nothing");
            if (hostile.Passes.Contains(verb)) Assert.True(complaint is null, $"{verb}: {complaint}");
            Assert.True(allocated < MaxAllocatedBytes, $"{verb}: {allocated} bytes of memory; {complaint}");
        }
    }

    /// <summary>Who owns up to what he wrote may have it read as long as it takes; but a check tells nothing else twice.</summary>
    [Fact]
    public async Task ACheckOfDirectoriesWithoutEndComesToAnEndWhateverThePointSays()
    {
        (string? complaint, long allocated) = await RunAsync("check", forge => forge.PutPoint(HostileTrees.Laughs(forge), HostileTrees.Boast));

        Assert.Null(complaint);
        Assert.True(allocated < MaxAllocatedBytes, $"{allocated} bytes of memory");
    }

    /// <summary>What is lost at the bottom is lost on 2⁶⁰ paths.</summary>
    [Fact]
    public async Task ALossAtTheBottomOfDirectoriesWithoutEndIsToldOfWithoutEndingNever()
    {
        (string? complaint, long allocated) = await RunAsync("check", forge =>
        {
            Content inner = forge.Directory(File("file", ContentItem.Chunk(new ChunkId(1, 2, 3, 4), 10)));
            for (int i = 0; i < 60; i++) inner = forge.Directory(Entry("a", Files.NodeKind.Directory, inner), Entry("b", Files.NodeKind.Directory, inner));
            return forge.PutPoint(inner);
        });

        Assert.Contains("is in no pack", complaint, StringComparison.Ordinal);
        Assert.Contains("more than twice", complaint, StringComparison.Ordinal);
        Assert.True(allocated < MaxAllocatedBytes, $"{allocated} bytes of memory");
    }

    [Fact]
    public async Task PointsOfAbsurdListsAreNotReadAndHideNoOther()
    {
        var store = new MemoryObjectStore();
        await FaultWorld.InitAsync(store);
        var forge = new VaultForge(store, FaultWorld.Ring);
        RestorePoint good = forge.PutPoint(forge.Directory(File("file")));
        byte[] body = PointCodec.Encode(good);
        foreach (ReadOnlyMemory<byte>[] roots in (ReadOnlyMemory<byte>[][])
            [["/a"u8.ToArray(), "/a"u8.ToArray()], ["/b"u8.ToArray(), "/a"u8.ToArray()], ["a"u8.ToArray()], ["/a/../b"u8.ToArray()], [new byte[TreePath.MaxBytes + 1]]])
        {
            Put(forge, PointCodec.Encode(good with { Roots = roots }));
        }

        // Says that there is no point, and never will be.
        Put(forge, []);
        Put(forge, [.. body, 0]);
        Put(forge, body[..^1]);

        using OpenVault vault = await FaultWorld.OpenAsync(store, seed: 1);
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, TestContext.Current.CancellationToken);

        Assert.Equal(good.Id, Assert.Single(points).Id);
        Assert.Equal(7, vault.Damages.Count);
    }

    [Fact]
    public async Task WhatIsToldOfDamageHasAnEnd()
    {
        var store = new MemoryObjectStore();
        await FaultWorld.InitAsync(store);
        var forge = new VaultForge(store, FaultWorld.Ring);
        RestorePoint good = forge.PutPoint(forge.Directory(File("file")));
        for (int i = 0; i < 1500; i++) store.Overwrite(PointCodec.Name(forge.NextSession()), [1]);

        using OpenVault vault = await FaultWorld.OpenAsync(store, seed: 1);

        Assert.Equal(good.Id, Assert.Single(await RestorePoints.ListAsync(vault, TestContext.Current.CancellationToken)).Id);
        Assert.Equal(1000, vault.Damages.Count);
        Assert.Equal("there is more damage than can be told here", vault.Damages[^1]);
    }

    private static void Put(VaultForge forge, byte[] body)
    {
        string name = PointCodec.Name(forge.NextSession());
        forge.Store.Overwrite(name, forge.Seal(ObjectKind.Point, name, body));
    }

    /// <summary>Does one thing with a vault of its own, which has a good point and, as its newest, the hostile one.</summary>
    private static async Task<(string? Complaint, long AllocatedBytes)> RunAsync(string verb, Func<VaultForge, RestorePoint> forgery)
    {
        // Only to fail at all where there is no end.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        stop.CancelAfter(TimeSpan.FromMinutes(3));
        var store = new MemoryObjectStore();
        await FaultWorld.InitAsync(store);
        var forge = new VaultForge(store, FaultWorld.Ring);
        RestorePoint before = forge.PutPoint(forge.Directory(File("file", forge.Data([9]))), point => point with { Time = point.Time.AddDays(-1) });
        RestorePoint hostile = forgery(forge);
        long allocated = GC.GetTotalAllocatedBytes(precise: true);
        using var verbs = new HostileVerbs();
        using OpenVault vault = await FaultWorld.OpenAsync(store, seed: 1);
        string? complaint = await verbs.RunAsync(verb, vault, before.Id, hostile.Id, stop.Token);
        return (complaint, GC.GetTotalAllocatedBytes(precise: true) - allocated);
    }
}
