using System.Text.Json;
using Holdfast.Files;
using Holdfast.Testing;

namespace Holdfast.System.Tests;

/// Goal: whatever object of a vault is damaged or gone, check names what that costs, restore brings back everything else, and the
/// two agree. Method: one object of a copy of a small vault is changed; what check names is compared with what restores bring back.
public sealed class DamagedVaultTests(DamagedVaultTests.Made made) : IClassFixture<DamagedVaultTests.Made>
{
    private static readonly TreeCompareOptions ExceptDirectoryTimes = new() { IgnoreDirectoryTimes = true };

    /// <param name="prefix">Whose largest object is damaged; 1 and 2 stand for the sessions of the points.</param>
    /// <param name="how">What is done to it.</param>
    /// <param name="points">Which of the points are then not whole.</param>
    /// <param name="needsReading">Whether only reading the data finds it.</param>
    [Theory]
    [InlineData("data/1", "flip", "12", true)]
    [InlineData("data/1", "delete", "12", false)]
    [InlineData("data/2", "truncate", "2", false)]
    [InlineData("trees/1", "flip", "12", false)]
    [InlineData("trees/2", "delete", "2", false)]
    [InlineData("index", "flip", "", false)]
    [InlineData("index", "delete", "", false)]
    [InlineData("refs/2", "truncate", "", false)]
    [InlineData("points/2", "flip", "", false)]
    public async Task CheckNamesWhatRestoreCannotBringBackAndTheRestIsRestored(string prefix, string how, string points, bool needsReading)
    {
        using DamagedCopy copy = made.Damage(prefix, how);
        HoldfastResult quick = await copy.ExpectAsync(needsReading ? 0 : 13, "check", "--json");
        HoldfastResult check = await copy.ExpectAsync(13, "check", "--read-data", "--json");
        // What was found once is told from then on.
        Assert.Equal(Named(check), Named(await copy.ExpectAsync(13, "check", "--json")));

        JsonElement[] damages = [.. check.Records("damage")];
        Assert.Equal(damages.Length, check.Summary.GetProperty("damages").GetInt32());
        Assert.Contains(damages, damage => damage.GetProperty("object").GetString() is { } name && (name == copy.Damaged || (name.EndsWith('*') && copy.Damaged.StartsWith(name[..^1], StringComparison.Ordinal))));
        if (!needsReading) Assert.Equal(Named(check), Named(quick));

        (string Id, TreeSnapshot Tree)[] all = [(made.First, made.FirstTree), (made.Second, made.SecondTree)];
        for (int i = 0; i < all.Length; i++)
        {
            (string id, TreeSnapshot tree) = all[i];
            Affected[] affected = [.. Named(check).Where(item => item.Point == id)];
            string target = copy.PathOf($"to{i}");
            if (affected.Any(item => item.Kind == "point"))
            {
                await ExpectPointUnreadableAsync(copy, id, target);
                continue;
            }

            bool isHit = points.Contains((char)('1' + i), StringComparison.Ordinal);
            if (affected.Any(item => item is { Kind: "tree", Path: null }))
            {
                // Without its root nothing of it is known.
                await copy.ExpectAsync(13, "restore", id, "--to", target);
                Assert.Empty(Directory.GetFileSystemEntries(target));
                continue;
            }

            HoldfastResult restore = await copy.ExpectAsync(isHit ? 13 : 0, "restore", id, "--to", target, "--json");
            Assert.Equal(isHit, restore.Summary.GetProperty("damaged").GetInt64() > 0);
            Assert.Equal(restore.Summary.GetProperty("errors").GetInt64(), restore.Records("error").Count());
            TreeSnapshot restored = TreeSnapshot.Take(target);
            // What is named is what is lost: a file's content, or what lies in a directory of which entries are lost.
            string[] lost = [.. affected.Where(item => item.Kind is "data" or "tree").Select(item => made.Relative(item.Path!)).Distinct()];
            Assert.Equal(isHit, lost.Length > 0);
            bool IsLost(string path) => lost.Any(item => item.Length == 0 || path == item || path.StartsWith(item + "/", StringComparison.Ordinal));
            TreeCompare.AssertEqual(tree, restored, ExceptDirectoryTimes with { Only = (path, _) => !IsLost(path) });
            foreach (Affected item in affected.Where(item => item.Kind == "data")) Assert.DoesNotContain(made.Relative(item.Path!), restored.Entries.Keys);
            Assert.All(restored.Entries.Where(entry => entry.Value.Kind == NodeKind.Regular), entry => Assert.Equal(tree.Entries[entry.Key].Content, entry.Value.Content));
        }
    }

    [Fact]
    public async Task APointThatIsGoneIsMissedByItsReferencesAndTheOtherIsWhole()
    {
        using DamagedCopy copy = made.Damage("points/2", "delete");
        HoldfastResult check = await copy.ExpectAsync(0, "check", "--read-data", "--json");
        Assert.Contains(check.Records("notice"), notice => notice.GetProperty("message").GetString()!.Contains(made.Second, StringComparison.Ordinal));
        await copy.ExpectAsync(0, "restore", made.First, "--to", copy.PathOf("to"));
        TreeCompare.AssertEqual(made.FirstTree, TreeSnapshot.Take(copy.PathOf("to")));
    }

    [Theory]
    [InlineData("flip")]
    [InlineData("truncate")]
    [InlineData("delete")]
    public async Task ADamagedKeySlotIsNamedWhileAnotherOpensTheVault(string how)
    {
        using DamagedCopy copy = made.Damage("keys", how);
        // Which of the two was hit depends on their names: one of the passwords still opens.
        HoldfastResult[] checks = [await copy.RunAsync("first password", "check", "--json"), await copy.RunAsync("second password", "check", "--json")];
        HoldfastResult opened = Assert.Single(checks, check => check.Records("summary").Any());
        HoldfastResult closed = Assert.Single(checks, check => check != opened);
        if (how == "delete")
        {
            // Just as if it had been removed.
            Assert.Equal((0, 12), (opened.Code, closed.Code));
            return;
        }

        Assert.Equal((13, 13), (opened.Code, closed.Code));
        Assert.Equal(copy.Damaged, opened.Records("damage").Single().GetProperty("object").GetString());
        Assert.Contains(copy.Damaged, closed.Records("error").Single().GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("flip", 13)]
    [InlineData("truncate", 13)]
    [InlineData("delete", 10)]
    public async Task AVaultWithoutItsDescriptorIsRefusedInOneLine(string how, int code)
    {
        using DamagedCopy copy = made.Damage("vault", how);
        foreach (string[] arguments in (string[][])[["check", "--read-data"], ["points"], ["restore", "latest", "--to", copy.PathOf("to")], ["backup", made.Source]])
        {
            HoldfastResult result = await copy.ExpectAsync(code, arguments);
            Assert.StartsWith("holdfast: ", result.Error, StringComparison.Ordinal);
            Assert.InRange(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length, 1, 2);
        }

        // What is left of a vault is no empty place.
        Assert.Equal(15, (await copy.RunAsync("first password", "init")).Code);
    }

    private async Task ExpectPointUnreadableAsync(DamagedCopy copy, string id, string target)
    {
        HoldfastResult refused = await copy.ExpectAsync(13, "restore", id, "--to", target);
        Assert.Contains(copy.Damaged, refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(target));
        HoldfastResult listed = await copy.ExpectAsync(13, "points");
        Assert.Contains(copy.Damaged, listed.Error, StringComparison.Ordinal);
        // The newest that is left is not said to be the newest.
        await copy.ExpectAsync(13, "restore", "latest", "--to", target);
        TreeCompare.AssertEqual(made.FirstTree, TreeSnapshot.Take(target));
    }

    private static HashSet<Affected> Named(HoldfastResult check) =>
    [
        .. check.Records("damage").SelectMany(damage => damage.GetProperty("affected").EnumerateArray()).Select(item => new Affected(
            item.GetProperty("point").GetString()!, item.GetProperty("kind").GetString()!,
            item.TryGetProperty("path", out JsonElement path) ? path.GetString() : null)),
    ];

    private sealed record Affected(string Point, string Kind, string? Path);

    /// A vault with two points and two passwords, made once.
    public sealed class Made : IAsyncLifetime
    {
        private readonly SystemFixture world = new();

        public string First { get; private set; } = "";

        public string Second { get; private set; } = "";

        public TreeSnapshot FirstTree { get; private set; } = null!;

        public TreeSnapshot SecondTree { get; private set; } = null!;

        public string Source => world.Source;

        public string Vault => world.Vault;

        public async ValueTask InitializeAsync()
        {
            world.Variables["HOLDFAST_PASSWORD"] = "first password";
            await world.InitAsync();
            File.WriteAllText(world.PathOf("new"), "second password\n");
            await world.ExpectAsync(0, "key", "add", "--new-password-file", world.PathOf("new"));
            for (int i = 0; i < 6; i++)
            {
                world.WriteRandom($"d{i % 2}/random{i}", i, 250_000 + (i * 100_000));
                world.Write($"d{i % 2}/deep/text{i}", $"text {i}\n");
            }

            world.Write("only/in/one/place", "1");
            FirstTree = TreeSnapshot.Take(world.Source);
            First = await world.BackupPointAsync();
            world.WriteRandom("d1/random1", 100, 400_000);
            world.Write("new/file", "2");
            SecondTree = TreeSnapshot.Take(world.Source);
            Second = await world.BackupPointAsync();
        }

        public ValueTask DisposeAsync()
        {
            world.Dispose();
            return ValueTask.CompletedTask;
        }

        /// The path in a restored directory of one that check names; the root is "".
        public string Relative(string path) => path.Length <= Source.Length ? "" : path[(Source.Length + 1)..];

        /// A copy of the vault in which the largest object below a prefix was changed.
        public DamagedCopy Damage(string prefix, string how)
        {
            string place = world.PathOf("copy-" + Guid.NewGuid().ToString("n"));
            foreach (string path in Directory.GetFiles(world.Vault, "*", SearchOption.AllDirectories))
            {
                string copied = Path.Combine(place, "vault", Path.GetRelativePath(world.Vault, path));
                Directory.CreateDirectory(Path.GetDirectoryName(copied)!);
                File.Copy(path, copied);
                File.SetUnixFileMode(copied, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            string vault = Path.Combine(place, "vault");
            string session = prefix[^1] switch { '1' => First, '2' => Second, _ => "" };
            string under = Path.Combine(vault, session.Length > 0 ? prefix[..^1] + session : prefix);
            string damaged = Directory.Exists(under)
                ? Directory.GetFiles(under, "*", SearchOption.AllDirectories).MaxBy(path => (new FileInfo(path).Length, path))!
                : under;
            long length = new FileInfo(damaged).Length;
            using (FileStream file = File.Open(damaged, FileMode.Open))
            {
                if (how == "truncate") file.SetLength(Math.Max(20, length / 8));
                // In its first third: content of a pack, entries of an index. Of a key slot the header: the rest is as opaque as another
                // password's. Of the descriptor the id.
                file.Position = prefix switch { "keys" => 4, "vault" => 20, _ => length / 3 };
                int value = file.ReadByte();
                file.Position--;
                if (how == "flip") file.WriteByte((byte)(value ^ 0x20));
            }

            if (how == "delete") File.Delete(damaged);
            return new DamagedCopy(place, Path.GetRelativePath(vault, damaged));
        }
    }

    /// A damaged copy of the vault, and the program run on it.
    public sealed class DamagedCopy(string place, string damaged) : IDisposable
    {
        /// Name of the object that was damaged.
        public string Damaged => damaged;

        public string PathOf(string name) => Path.Combine(place, name);

        public async Task<HoldfastResult> RunAsync(string password, params string[] arguments)
        {
            var variables = new Dictionary<string, string> { ["HOLDFAST_VAULT"] = PathOf("vault"), ["HOLDFAST_PASSWORD"] = password };
            using HoldfastProcess process = HoldfastProcess.Start(variables, place, arguments);
            process.Input.Close();
            return await process.WaitAsync();
        }

        public async Task<HoldfastResult> ExpectAsync(int code, params string[] arguments)
        {
            HoldfastResult result = await RunAsync("first password", arguments);
            Assert.True(result.Code == code, $"{damaged}: holdfast {string.Join(' ', arguments)}: {code} expected, {result}");
            return result;
        }

        public void Dispose() => TreeGenerator.Delete(place);
    }
}
