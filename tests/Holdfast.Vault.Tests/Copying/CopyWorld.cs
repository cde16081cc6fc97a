using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Tests.Faults;
using Holdfast.Vault.Tests.Repairing;

namespace Holdfast.Vault.Tests.Copying;

/// <summary>Further vaults beside that of a <see cref="RepairWorld"/>, with its keys or with others, opened without the cost of a password.</summary>
internal static class CopyWorld
{
    private static readonly KeyRing OtherRing = KeyRing.CreateAdmin(new SimulatedEntropy(4242), DateTimeOffset.UnixEpoch, "other");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static OpenVault Open(IObjectStore store, bool isTwin, int seed, byte number = 1) => OpenVault.Open(
        new Host(new SimulatedDisk(seed), TimeProvider.System, new SimulatedEntropy(seed)), store,
        [.. Enumerable.Repeat(number, 16)], "0000000000000000", isTwin ? FaultWorld.Ring : OtherRing, 4 << 20);

    public static async Task<CopySummary> CopyAsync(
        IObjectStore store, IObjectStore to, bool isTwin, int seed, Func<CopyRequest, CopyRequest>? change = null)
    {
        using OpenVault from = await FaultWorld.OpenAsync(store, seed + 1);
        using OpenVault target = Open(to, isTwin, seed);
        var request = new CopyRequest { From = from, Host = "here" };
        return await CopyRun.RunAsync(target, change is null ? request : change(request), Token);
    }

    /// <summary>Each of these points of the world has one copy, which holds the same and says the same; there are no other points.</summary>
    public static async Task AssertCopiedAsync(RepairWorld world, IObjectStore to, bool isTwin, IReadOnlyList<int> points, string about, bool isDirect = true)
    {
        using OpenVault vault = Open(to, isTwin, seed: 99);
        IReadOnlyList<RestorePoint> copies = await RestorePoints.ListAsync(vault, Token);
        Assert.True(copies.Count == points.Count, $"{about}: {copies.Count} points");
        var ids = new Dictionary<SessionId, SessionId>();
        foreach (int i in points)
        {
            RestorePoint original = world.Oracle.Points[i];
            RestorePoint? copy = copies.SingleOrDefault(copy => copy.Origin?.Point == original.Id);
            Assert.True(copy is not null, $"{about}: point {i} has no copy");
            ids[original.Id] = copy.Id;
            bool hasBase = original.Base is { } comparedWith && ids.ContainsKey(comparedWith);
            Assert.Equal(Convert.ToHexStringLower(FaultWorld.VaultId), copy.Origin!.Vault);
            Assert.Equal((original.Time, original.Host, original.Program, original.Counts), (copy.Time, copy.Host, copy.Program, copy.Counts));
            Assert.Equal(original.Tags, copy.Tags);
            Assert.True(copy.IsOfSource(original.Source), about);
            Assert.Equal(hasBase ? (original.Kind, ids[original.Base!.Value]) : (PointKind.Full, null), (copy.Kind, copy.Base));
            // On the way through other keys the checks of chunks are lost, so that trees are not the same to the byte.
            if (isDirect) Assert.Equal(isTwin, copy.Tree.SameAs(original.Tree));
            SortedDictionary<string, byte[]> files = await FaultWorld.ReadAsync(vault, copy);
            Assert.True(files.Keys.SequenceEqual(world.Contents[i].Keys), $"{about}: point {i} has other files");
            foreach ((string name, byte[] content) in files) Assert.True(content.AsSpan().SequenceEqual(world.Contents[i][name]), $"{about}: point {i}: {name} is another");
        }

        Assert.Empty(vault.Damages);
    }

    /// <summary>The paths that a point of a vault records as changed.</summary>
    public static async Task<List<string>> ChangesAsync(OpenVault vault, RestorePoint point)
    {
        var changes = new List<string>();
        await foreach (TreeChange change in RestorePoints.ReadChangesAsync(vault, point, Token)) changes.Add($"{change.Kind} {RepairWorld.PathOf(change.Path)}");
        return changes;
    }
}
