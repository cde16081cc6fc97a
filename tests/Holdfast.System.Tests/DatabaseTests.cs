using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Holdfast.Databases.RocksDb;

namespace Holdfast.System.Tests;

/// Databases that are in use, through the real binary: copied by the program that owns them, backed up, restored elsewhere.
public sealed class DatabaseTests : IDisposable
{
    private readonly SystemFixture world = new();

    private string Orders => world.PathOf("orders");

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task TheAgentExampleIsAskedForCopiesWhileItWrites()
    {
        await world.InitAsync();
        using Process owner = StartOwner(Orders);
        string[] command = (await owner.StandardOutput.ReadLineAsync())!.Split(' ');
        Assert.Equal("holdfast", command[0]);

        // What it says is what a user types.
        HoldfastResult checkpoint = await world.ExpectAsync(0, [.. command[1..], "--json"]);
        Assert.Equal("agent", checkpoint.Summary.GetProperty("way").GetString());
        long inCheckpoint = CountIn($"{Orders}.copy");
        HoldfastResult backup = await world.ExpectAsync(0, "db", "backup", $"rocksdb:{Orders}", "--json");
        HoldfastResult again = await world.ExpectAsync(0, "db", "backup", $"rocksdb:{Orders}", "--json");
        long written = await EndAsync(owner);
        Assert.True(again.Summary.GetProperty("filesUnmodified").GetInt32() > 0, again.ToString());

        // Another machine has nothing of this one but the vault.
        world.Variables["XDG_STATE_HOME"] = world.PathOf("elsewhere");
        await world.ExpectAsync(0, "db", "restore", backup.Summary.GetProperty("point").GetString()!, "--to", world.PathOf("first"));
        await world.ExpectAsync(0, "db", "restore", again.Summary.GetProperty("point").GetString()!, "--to", world.PathOf("second"));
        long first = CountIn(world.PathOf("first")), second = CountIn(world.PathOf("second"));
        Assert.True(0 < inCheckpoint && inCheckpoint <= first && first <= second && second <= written, $"{inCheckpoint} {first} {second} {written}");
        await world.ExpectAsync(0, "db", "verify", $"rocksdb:{Orders}");
    }

    [Fact]
    public Task KillsOfBackupsLeaveTheDatabaseAndNoHalfCopy() => KillBackupsAsync(seed: 20_261_122, rounds: 6);

    [Theory, InlineData(1), InlineData(2), Trait("Category", "Long")]
    public Task ManyKillsOfBackupsLeaveTheDatabaseAndNoHalfCopy(int seed) => KillBackupsAsync(seed, rounds: 60);

    private async Task KillBackupsAsync(int seed, int rounds)
    {
        await world.InitAsync();
        using Process owner = StartOwner(Orders);
        _ = await owner.StandardOutput.ReadLineAsync();
        var random = new Random(seed);
        string copy = world.PathOf("copy");
        long before = 0;
        for (int round = 0; round < rounds; round++)
        {
            string[] arguments = random.Next(2) == 0
                ? ["db", "backup", $"rocksdb:{Orders}"]
                : ["db", "checkpoint", $"rocksdb:{Orders}", copy, "--replace"];
            using (HoldfastProcess process = world.Start(arguments))
            {
                process.Input.Close();
                // Where in its work it is then differs from run to run; that it is killed does not.
                using var moment = new CancellationTokenSource(TimeSpan.FromMilliseconds(random.Next(100, 1500)));
                while (!moment.IsCancellationRequested && !process.HasExited) await Task.Yield();
                process.Kill();
                await process.WaitAsync();
            }

            if (!Directory.Exists(copy)) continue;
            long now = CountIn(copy);
            Assert.True(now >= before, $"seed {seed}, round {round}: {now} after {before}");
            before = now;
        }

        await world.ExpectAsync(0, "db", "checkpoint", $"rocksdb:{Orders}", copy, "--replace");
        HoldfastResult last = await world.ExpectAsync(0, "db", "backup", $"rocksdb:{Orders}", "--json");
        Assert.Empty(Directory.GetDirectories(world.Root, ".*.holdfast-*"));
        long written = await EndAsync(owner);
        await world.ExpectAsync(0, "db", "restore", last.Summary.GetProperty("point").GetString()!, "--to", world.PathOf("back"));
        Assert.InRange(CountIn(world.PathOf("back")), CountIn(copy), written);
        await world.ExpectAsync(0, "check");
    }

    /// How many orders there are, from the first on without a gap.
    private static long CountIn(string directory)
    {
        using RocksDatabase copy = RocksDatabase.Open(directory);
        using RocksIterator orders = copy.Iterate();
        long count = 0;
        for (bool isThere = orders.SeekToFirst(); isThere; isThere = orders.MoveNext())
        {
            Assert.Equal(++count, long.Parse(Encoding.UTF8.GetString(orders.Key), CultureInfo.InvariantCulture));
        }

        return count;
    }

    private static async Task<long> EndAsync(Process owner)
    {
        owner.StandardInput.Close();
        string line = (await owner.StandardOutput.ReadLineAsync())!;
        await owner.WaitForExitAsync();
        Assert.Equal(0, owner.ExitCode);
        return long.Parse(line.Split(' ')[0], CultureInfo.InvariantCulture);
    }

    private static Process StartOwner(string directory)
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        string repository = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", ".."));
        string program = Path.Combine(repository, "examples", "DatabaseAgent", "bin", here.Parent!.Name, here.Name, "DatabaseAgent.dll");
        var start = new ProcessStartInfo("dotnet", [program, directory]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        return Process.Start(start)!;
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
