using System.Text.Json;
using Holdfast.Testing;

namespace Holdfast.System.Tests;

/// Copies between vaults as people make them: to one with the same secrets and to one with others, again, and from a damaged one.
public sealed class CopyTests : IDisposable
{
    private readonly SystemFixture world = new();

    public void Dispose() => world.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PointsAreCopiedOnceAndRestoreFromEitherVault(bool isTwin)
    {
        await world.InitAsync();
        world.WriteRandom("large", seed: 1, bytes: 1 << 20);
        world.Write("small", "one");
        string first = await world.BackupPointAsync("--tag", "t");
        TreeSnapshot firstTree = TreeSnapshot.Take(world.Source);
        world.Write("small", "two");
        await world.BackupPointAsync();
        TreeSnapshot secondTree = TreeSnapshot.Take(world.Source);

        string vault = world.Vault, second = world.PathOf("second"), password = world.PathOf("password");
        File.WriteAllText(password, "correct horse\n");
        world.Variables["HOLDFAST_VAULT"] = second;
        world.Variables["HOLDFAST_PASSWORD"] = "battery staple";
        if (isTwin) await world.ExpectAsync(0, "init", "--secrets-of", vault, "--from-password-file", password);
        else await world.ExpectAsync(0, "init");
        HoldfastResult wrong = await world.ExpectAsync(12, "copy", "--from", vault);
        Assert.Contains(vault, wrong.Error, StringComparison.Ordinal);
        string[] copy = ["copy", "--from", vault, "--from-password-file", password, "--json"];
        JsonElement one = (await world.ExpectAsync(0, [.. copy, first])).Summary;
        Assert.Equal(1, one.GetProperty("points").GetInt32());
        JsonElement rest = (await world.ExpectAsync(0, copy)).Summary;
        Assert.Equal((1, 1), (rest.GetProperty("points").GetInt32(), rest.GetProperty("pointsThere").GetInt32()));
        JsonElement none = (await world.ExpectAsync(0, copy)).Summary;
        Assert.Equal((0, 0), (none.GetProperty("points").GetInt32(), none.GetProperty("bytesStored").GetInt32()));

        JsonElement[] points = [.. (await world.ExpectAsync(0, "points", "--json")).Document.EnumerateArray()];
        Assert.Equal(2, points.Length);
        Assert.Equal(first, points[0].GetProperty("origin").GetProperty("point").GetString());
        Assert.Equal("t", points[0].GetProperty("tags")[0].GetString());
        Assert.Equal(points[0].GetProperty("id").GetString(), points[1].GetProperty("base").GetString());
        await world.ExpectRestoredAsync(points[0].GetProperty("id").GetString()!, firstTree);
        await world.ExpectRestoredAsync("latest", secondTree);
        await world.ExpectAsync(0, "check", "--read-data");
    }

    [Fact]
    public async Task AnExportIsImportedIntoAnotherVaultOnce()
    {
        await world.InitAsync();
        world.WriteRandom("large", seed: 1, bytes: 1 << 20);
        world.Write("small", "one");
        string first = await world.BackupPointAsync("--tag", "t");
        TreeSnapshot firstTree = TreeSnapshot.Take(world.Source);
        world.Write("small", "two");
        string second = await world.BackupPointAsync();
        TreeSnapshot secondTree = TreeSnapshot.Take(world.Source);
        string whole = world.PathOf("whole.hfx"), changes = world.PathOf("changes.hfx"), password = world.PathOf("password");
        await world.ExpectAsync(0, "export", first, "-o", whole);
        await world.ExpectAsync(0, "export", second, "--since", first, "-o", changes);
        File.WriteAllText(password, "correct horse\n");
        world.Variables["HOLDFAST_VAULT"] = world.PathOf("second");
        world.Variables["HOLDFAST_PASSWORD"] = "battery staple";
        await world.ExpectAsync(0, "init");

        await world.ExpectAsync(12, "import", whole);
        HoldfastResult early = await world.ExpectAsync(10, "import", changes, "--from-password-file", password);
        Assert.Contains(first[..8], early.Error, StringComparison.Ordinal);
        byte[] cut = File.ReadAllBytes(whole)[..^100];
        Assert.Equal(13, (await world.RunWithAsync(cut, "import", "-", "--from-password-file", password)).Code);
        Assert.Empty((await world.ExpectAsync(0, "points", "--json")).Document.EnumerateArray());

        JsonElement made = (await world.ExpectAsync(0, "import", whole, "--from-password-file", password, "--json")).Summary;
        JsonElement later = (await world.ExpectAsync(0, "import", changes, "--from-password-file", password, "--json")).Summary;
        JsonElement again = (await world.ExpectAsync(0, "import", changes, "--from-password-file", password, "--json")).Summary;
        Assert.Equal((false, false, true), (There(made), There(later), There(again)));
        Assert.Equal((later.GetProperty("point").GetString(), 0), (again.GetProperty("point").GetString(), again.GetProperty("bytesStored").GetInt32()));
        JsonElement[] points = [.. (await world.ExpectAsync(0, "points", "--json")).Document.EnumerateArray()];
        Assert.Equal([first, second], points.Select(point => point.GetProperty("origin").GetProperty("point").GetString()));
        Assert.Equal("t", points[0].GetProperty("tags")[0].GetString());
        await world.ExpectRestoredAsync(made.GetProperty("point").GetString()!, firstTree);
        await world.ExpectRestoredAsync("latest", secondTree);
        await world.ExpectAsync(0, "check", "--read-data");

        static bool There(JsonElement summary) => summary.GetProperty("alreadyThere").GetBoolean();
    }

    [Fact]
    public async Task ADamagedPointIsNamedAndTheOthersAreCopied()
    {
        await world.InitAsync();
        world.Write("file", "one");
        string first = await world.BackupPointAsync();
        world.WriteRandom("file", seed: 2, bytes: 100_000);
        string second = await world.BackupPointAsync();
        foreach (string pack in world.Packs().Where(pack => pack.Contains(second, StringComparison.Ordinal))) File.Delete(pack);
        string vault = world.Vault;
        world.Variables["HOLDFAST_VAULT"] = world.PathOf("second");
        await world.InitAsync();

        HoldfastResult copy = await world.ExpectAsync(13, "copy", "--from", vault, "--json");
        Assert.Contains(second, Assert.Single(copy.Records("error")).GetProperty("path").GetString(), StringComparison.Ordinal);
        Assert.Equal((1, 1), (copy.Summary.GetProperty("points").GetInt32(), copy.Summary.GetProperty("damaged").GetInt32()));
        JsonElement there = Assert.Single((await world.ExpectAsync(0, "points", "--json")).Document.EnumerateArray().ToArray());
        Assert.Equal(first, there.GetProperty("origin").GetProperty("point").GetString());
    }
}
