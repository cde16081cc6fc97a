using Holdfast.Databases.RocksDb;

namespace Holdfast.Databases.Tests.RocksDb;

public sealed class RocksIdentityTests : RocksTest
{
    [Fact]
    public void AFileHasTheSameIdentityInEachCheckpoint()
    {
        using RocksDatabase database = RocksDatabase.Open(DatabasePath, Workload.Options);
        Fill(database, seed: 1);
        Dictionary<string, string?> first = IdentitiesOf(database);
        Assert.True(first.Values.Count(identity => identity is not null) >= 2);
        Assert.Contains(first, file => file.Key.EndsWith(".blob", StringComparison.Ordinal) && file.Value is not null);
        Assert.Equal(first.Values.Where(value => value is not null).Distinct().Count(), first.Values.Count(value => value is not null));
        foreach ((string name, string? identity) in first)
        {
            bool isFixed = name.EndsWith(".sst", StringComparison.Ordinal) || name.EndsWith(".blob", StringComparison.Ordinal);
            Assert.Equal(isFixed, identity is not null);
        }

        Dictionary<string, string?> second = IdentitiesOf(database);
        foreach ((string name, string? identity) in first)
        {
            if (identity is not null) Assert.Equal(identity, second[name]);
        }
    }

    /// Two copies of one database go on, each for itself, with the same writes: they make files of the same numbers and lengths.
    [Fact]
    public void DivergedCopiesShareTheIdentitiesOfOldFilesOnly()
    {
        using (RocksDatabase database = RocksDatabase.Open(DatabasePath, Workload.Options)) Fill(database, seed: 1);
        string twinPath = NewCopyPath();
        CopyDirectory(DatabasePath, twinPath);
        using RocksDatabase original = RocksDatabase.Open(DatabasePath, Workload.Options);
        using RocksDatabase twin = RocksDatabase.Open(twinPath, Workload.Options);
        HashSet<string> old = [.. IdentitiesOf(original).Values.OfType<string>()];
        Assert.Subset(IdentitiesOf(twin).Values.OfType<string>().ToHashSet(), old);

        Fill(original, seed: 2);
        Fill(twin, seed: 2);
        Dictionary<string, string?> ofOriginal = IdentitiesOf(original);
        Dictionary<string, string?> ofTwin = IdentitiesOf(twin);
        HashSet<string> newOnes = [.. ofOriginal.Values.OfType<string>().Where(identity => !old.Contains(identity))];
        Assert.NotEmpty(newOnes);
        Assert.DoesNotContain(ofTwin.Values, identity => identity is not null && newOnes.Contains(identity));
        // The test would say nothing otherwise: names did meet.
        Assert.Contains(ofOriginal, file => file.Value is not null && newOnes.Contains(file.Value) && ofTwin.ContainsKey(file.Key));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(40)]
    public void WhatIsNoTableHasNoIdentity(int bytes)
    {
        string path = $"{Root}/000012.sst";
        File.WriteAllBytes(path, new byte[bytes]);
        Assert.Null(new RocksFileIdentities(new Log.HostDisk()).Of(path, "id"));
    }

    /// Hostile input: a table whose bytes are anything gives an identity or none, and no failure.
    [Fact]
    public void FlippedTablesNeverFailIdentification()
    {
        using (RocksDatabase database = RocksDatabase.Open(DatabasePath, Workload.Options)) Fill(database, seed: 1);
        string table = Directory.GetFiles(DatabasePath, "*.sst")[0];
        byte[] whole = File.ReadAllBytes(table);
        var disk = new Log.HostDisk();
        for (int offset = Math.Max(0, whole.Length - 1500); offset < whole.Length; offset++)
        {
            byte kept = whole[offset];
            whole[offset] = 0xFF;
            File.WriteAllBytes(table, whole);
            _ = new RocksFileIdentities(disk).Of(table, "id");
            whole[offset] = kept;
        }
    }

    private Dictionary<string, string?> IdentitiesOf(RocksDatabase database)
    {
        Capture capture = database.Capture(NewCopyPath(), new CaptureOptions(), Cancellation);
        return capture.Files.ToDictionary(file => file.Name, file => file.Identity);
    }

    private static void Fill(RocksDatabase database, int seed)
    {
        if (database.FindColumnFamily(Workload.SecondFamily) is null) database.CreateColumnFamily(Workload.SecondFamily);
        var workload = new Workload(seed);
        using var batch = new RocksBatch();
        long first = Workload.NumberOf(database) + 1;
        for (long number = first; number < first + 200; number++) workload.Apply(database, batch, number);
        foreach (RocksColumnFamily family in database.ColumnFamilies) database.Flush(family);
    }
}
