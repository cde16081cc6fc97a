using Holdfast.Testing;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Tests.Checking;
using Holdfast.Vault.Tests.Faults;

namespace Holdfast.Vault.Tests.Repairing;

/// What a check finds rotten is told by later ones too, and the next backup heals it, as the source still has it.
public sealed class DamageRecordTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ABackupHealsWhatACheckFoundRotten(bool isRecorded)
    {
        using RepairWorld world = await RepairWorld.CreateAsync(new Random(20_260_304));
        MemoryObjectStore store = await RepairWorld.CopyAsync(world.Whole);
        // The newest pack of data: what is in it the source has still.
        PackFooter pack = world.Oracle.Packs.Where(pack => pack.Pack.Kind == ObjectKind.DataPack).MinBy(pack => pack.PackBytes)!;
        byte[] content = await DamagedStores.ContentAsync(store, pack.Pack.ObjectName);
        content[pack.Groups[0].Offset + 9] ^= 1;
        store.Overwrite(pack.Pack.ObjectName, content);
        HashSet<Holdfast.Vault.Chunking.ChunkId> lost = [.. pack.Chunks.Where(chunk => chunk.Group == 0).Select(chunk => chunk.Id)];
        SortedSet<string> expected = world.Oracle.Affected(lost);
        Assert.NotEmpty(expected);

        using (OpenVault vault = await FaultWorld.OpenAsync(store, seed: 31))
        {
            await CheckRun.RunAsync(vault, new CheckRequest { ReadData = true, RecordsDamage = isRecorded }, Token);
        }

        using (OpenVault vault = await FaultWorld.OpenAsync(store, seed: 32))
        {
            CheckReport quick = await CheckRun.RunAsync(vault, new CheckRequest(), Token);
            world.AssertAffected(isRecorded ? expected : [], quick, "without reading data");
            await FaultWorld.BackupAsync(vault, world.Tree, Token);
        }

        CheckReport report = await RepairWorld.CheckAsync(store);
        if (!isRecorded)
        {
            // The new point counts on it too.
            Assert.Contains(report.Damages.SelectMany(damage => damage.Affected), path => world.Oracle.Points.All(point => point.Id != path.Point));
            return;
        }

        SortedSet<string> after = world.Oracle.Named(report);
        // What the newest point needs of it is whole again, in all points.
        SortedSet<string> newest = new(expected.Where(line => line.StartsWith("2:", StringComparison.Ordinal)), StringComparer.Ordinal);
        Assert.NotEmpty(newest);
        Assert.DoesNotContain(after, newest.Contains);
        Assert.Equal(1, store.Names.Count(name => name.StartsWith("damaged/", StringComparison.Ordinal)));

        // A repair that reads nothing knows it, and clears the record with the pack.
        await RepairWorld.RepairAsync(store, request => request with { ReadData = false });
        Assert.Contains("quarantine/" + pack.Pack.ObjectName, store.Names);
        Assert.DoesNotContain(store.Names, name => name.StartsWith("damaged/", StringComparison.Ordinal));
        CheckReport last = await RepairWorld.CheckAsync(store);
        Assert.All(last.Damages, damage => Assert.StartsWith("chunk", damage.ObjectName, StringComparison.Ordinal));
    }
}
