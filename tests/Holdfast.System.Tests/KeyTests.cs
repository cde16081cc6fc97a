using System.Text.Json;
using Holdfast.Testing;

namespace Holdfast.System.Tests;

/// Keys of every role as people and machines use them: what they do, what is refused, and what becomes of a key that is removed.
public sealed class KeyTests : IDisposable
{
    private const int WrongKey = 12;
    private readonly SystemFixture world = new();

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task EachRoleDoesWhatItMayAndIsRefusedTheRest()
    {
        await world.InitAsync();
        world.Write("file", "content");
        foreach (string role in (string[])["add", "list", "restore", "prune", "admin"]) await AddAsync(role);
        TreeSnapshot source = TreeSnapshot.Take(world.Source);
        string target = world.PathOf("target");

        await AsAsync("add", 0, "backup", world.Source);
        string point = Assert.Single(await world.PointsAsync());
        // Each verb with the key that can least of those that may, and with the one that can most of those that may not.
        (string Verb, string? May, string? MayNot)[] verbs =
        [
            ("points", "prune", null), ("stats", "prune", null), ("key list", "prune", null), ("undelete", "prune", null), ("ls {point}", "list", "add"),
            ("find file", "list", "prune"), ("check", "list", "add"), ("cat {point} file", "restore", "list"), ("restore {point} --to {target}", "restore", "list"),
            ("export {point} --output {target}.export", null, "list"), ("check --read-data", "restore", "list"), ("hold {point}", "admin", "restore"),
            ("forget --keep-last 100", "admin", "prune"), ("backup {source}", "add", "restore"), ("prune", "prune", "restore"),
            ("settings --undelete-window 7d", "admin", "prune"), ("key rotate", null, "admin"),
            ("key add --role list --new-password-file {source}/file", null, "admin"),
        ];
        bool wasRestored = false;
        foreach ((string verb, string? may, string? mayNot) in verbs)
        {
            string[] words =
            [
                .. verb.Split(' ').Select(word => word.Replace("{point}", point, StringComparison.Ordinal)
                    .Replace("{target}", target, StringComparison.Ordinal).Replace("{source}", world.Source, StringComparison.Ordinal)),
            ];
            if (mayNot is not null)
            {
                HoldfastResult refused = await AsAsync(mayNot, WrongKey, words);
                Assert.Contains(mayNot == "admin" ? "only the first admin's" : $"has the role {mayNot}", refused.Error, StringComparison.Ordinal);
                Assert.Equal(wasRestored, Directory.Exists(target));
                Assert.False(File.Exists(target + ".export"));
            }

            if (may is not null) await AsAsync(may, 0, words);
            wasRestored |= words[0] == "restore";
        }

        TreeCompare.AssertEqual(source, TreeSnapshot.Take(target));
    }

    [Fact]
    public async Task AnAddKeyReadsOnlyWhatChangedSinceItsLastBackupOnThisMachine()
    {
        await world.InitAsync();
        world.Write("a/one", "one");
        world.Write("b/two", "two");
        await AddAsync("add");
        await AsAsync("add", 0, "backup", world.Source, "--json");
        world.Write("a/three", "three");

        JsonElement second = (await AsAsync("add", 0, "backup", world.Source, "--json")).Summary;

        Assert.Equal(("incremental", 5), (second.GetProperty("kind").GetString(), second.GetProperty("bytesRead").GetInt64()));
        string state = Assert.Single(Directory.GetDirectories(Assert.Single(Directory.GetDirectories(world.PathOf("state/holdfast")))));
        Assert.All(
            Directory.EnumerateFiles(state, "*", SearchOption.AllDirectories),
            static file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(state));

        Directory.Delete(world.PathOf("state"), recursive: true);
        HoldfastResult third = await AsAsync("add", 0, "backup", world.Source, "--json");
        Assert.Equal("full", third.Summary.GetProperty("kind").GetString());
        Assert.Contains("no local state", third.Output + third.Error, StringComparison.Ordinal);
    }

    /// What changes while it is backed up, and is of no use to anybody else.
    [Fact]
    public async Task TheStateOfAnAddKeyIsNotBackedUpWithTheHomeItLiesIn()
    {
        await world.InitAsync();
        world.Write("file", "one");
        await AddAsync("add");
        world.Variables["XDG_STATE_HOME"] = Path.Combine(world.Source, ".local", "state");

        for (int i = 0; i < 2; i++) await AsAsync("add", 0, "backup", world.Source);

        string names = (await world.ExpectAsync(0, "ls", "latest", "--recursive")).Output;
        Assert.Contains("file", names, StringComparison.Ordinal);
        Assert.DoesNotContain("holdfast", names, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ARemovedKeyIsShutOutAndAfterARotationEverybodyElseGoesOn()
    {
        await world.InitAsync();
        world.Write("file", "one");
        string thief = await AddAsync("restore"), machine = await AddAsync("add");
        await AsAsync("add", 0, "backup", world.Source);
        string slot = Path.Combine(world.Vault, "keys", thief);
        byte[] copied = File.ReadAllBytes(slot);

        HoldfastResult removed = await world.ExpectAsync(0, "key", "remove", thief[..6]);
        Assert.Contains("removed and revoked", removed.Output, StringComparison.Ordinal);
        await AsAsync("restore", WrongKey, "points");
        HoldfastResult rotated = await world.ExpectAsync(0, "key", "rotate", "--json");
        Assert.Equal(2, rotated.Document.GetProperty("epoch").GetInt32());

        // The password, and a slot that was copied before, are still good for what was there then, and for nothing else.
        world.Write("file", "two");
        await AsAsync("add", 0, "backup", world.Source);
        string[] points = [.. await world.PointsAsync()];
        Assert.Equal(2, points.Length);
        File.WriteAllBytes(slot, copied);
        HoldfastResult old = await AsAsync("restore", 0, "cat", points[0], "file");
        Assert.Equal("one", old.Output);
        HoldfastResult next = await AsAsync("restore", 13, "cat", points[1], "file");
        Assert.Contains("which this key does not have", next.Error, StringComparison.Ordinal);
        File.Delete(slot);

        await world.ExpectRestoredAsync(points[1], TreeSnapshot.Take(world.Source));
        await world.ExpectAsync(0, "check", "--read-data");
        JsonElement[] keys = [.. (await world.ExpectAsync(0, "key", "list", "--json")).Document.EnumerateArray()];
        Assert.Equal(
            ["add False", "admin False", "restore True"],
            keys.Select(key => $"{key.GetProperty("role").GetString()} {key.GetProperty("revoked").ValueKind != JsonValueKind.Null}").Order(StringComparer.Ordinal));
        Assert.Contains(keys, key => key.GetProperty("id").GetString() == machine && key.GetProperty("label").GetString() == "add");
        // Further passwords, changed passwords and keys of the new epoch.
        await AddAsync("restore");
        await AsAsync("restore", 0, "restore", points[1], "--to", world.PathOf("again"));
        await AsAsync("restore", 0, "restore", points[0], "--to", world.PathOf("first"));
        File.WriteAllText(world.PathOf("changed"), "changed");
        await AsAsync("add", 0, "key", "passwd", "--new-password-file", world.PathOf("changed"));
        await AsAsync("add", WrongKey, "points");
        await AsAsync("changed", 0, "backup", world.Source);
    }

    [Fact]
    public async Task ALostEpochShutsKeysOutUntilTheFirstAdminRepairs()
    {
        await world.InitAsync();
        world.Write("file", "one");
        await AddAsync("restore");
        await AddAsync("add");
        await AsAsync("add", 0, "backup", world.Source);
        string before = Assert.Single(await world.PointsAsync());
        await world.ExpectAsync(0, "key", "rotate", "--identity");
        world.Write("file", "two");
        // Other ids: what is there is stored again.
        await AsAsync("add", 0, "backup", world.Source);
        await AsAsync("restore", 0, "check", "--read-data");
        File.Delete(Assert.Single(Directory.GetFiles(Path.Combine(world.Vault, "epochs"))));

        HoldfastResult check = await world.ExpectAsync(13, "check", "--json");
        Assert.Equal("epochs/00000002", check.Records("damage").Single().GetProperty("object").GetString());
        HoldfastResult cutOff = await AsAsync("restore", WrongKey, "check", "--read-data", "--json");
        Assert.All(cutOff.Records("damage"), damage => Assert.True(damage.GetProperty("unreadable").GetBoolean()));
        Assert.Equal("one", (await AsAsync("restore", 0, "cat", before, "file")).Output);
        HoldfastResult refused = await AsAsync("add", WrongKey, "backup", world.Source);
        Assert.Contains("lacks key epoch 2", refused.Error, StringComparison.Ordinal);

        HoldfastResult repair = await world.ExpectAsync(0, "repair", "--json");

        Assert.Equal("deliver", repair.Records("step").Single().GetProperty("action").GetString());
        await AsAsync("restore", 0, "check", "--read-data");
        await AsAsync("add", 0, "backup", world.Source);
        await world.ExpectAsync(0, "check", "--read-data");
    }

    [Fact]
    public async Task WhoMayRemoveNoKeyLearnsThatWhateverKeyHeNames()
    {
        await world.InitAsync();
        await AddAsync("restore");

        await AsAsync("restore", WrongKey, "key", "remove", "ffff");
        await world.ExpectAsync(2, "key", "remove", "ffff-no-key");
    }

    /// Adds a key whose role is its password and its label.
    private async Task<string> AddAsync(string role)
    {
        string file = world.PathOf("password-" + role);
        File.WriteAllText(file, role);
        return (await world.ExpectAsync(0, "key", "add", "--role", role, "--label", role, "--new-password-file", file, "--json")).Document.GetProperty("id").GetString()!;
    }

    private async Task<HoldfastResult> AsAsync(string password, int code, params string[] arguments)
    {
        string kept = world.Variables["HOLDFAST_PASSWORD"];
        world.Variables["HOLDFAST_PASSWORD"] = password;
        try
        {
            return await world.ExpectAsync(code, arguments);
        }
        finally
        {
            world.Variables["HOLDFAST_PASSWORD"] = kept;
        }
    }
}
