using System.Diagnostics;
using System.Globalization;
using Holdfast.Testing.Services;

namespace Holdfast.System.Tests;

/// A database on one host, the vault on a second, the restore on a third; nothing but the vault is shared.
[Collection(LoopDisk.Collection)] // A network namespace brings a copy of all mounts: what others unmount meanwhile stays mounted in it.
public sealed class ThreeHostTests : IDisposable
{
    private const int DatabaseHost = 0;
    private const int VaultHost = 1;
    private const int RestoreHost = 2;

    private readonly SystemFixture world = new();

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task DatabasesAreRestoredOnAThirdHostFromAVaultOnASecond()
    {
        if (!SystemFixture.IsRoot) Assert.Skip("needs root for networks of its own");
        using var hosts = new NetworkHosts();
        using var server = new SftpService(LocalService.Start("sftp", hosts.On(VaultHost), ("SFTP_LISTEN", NetworkHosts.AddressOf(VaultHost))));
        world.Variables["HOLDFAST_VAULT"] = server.NewPlace("timeout=20").Address;
        string sqlite = world.PathOf("app.db"), rocks = world.PathOf("orders");
        await ExpectAsync(hosts, DatabaseHost, 0, "init");
        await RunToolAsync("sqlite3", sqlite, "PRAGMA journal_mode=wal; CREATE TABLE entries(id INTEGER PRIMARY KEY, content TEXT);");
        await RunToolAsync("ldb", $"--db={rocks}", "--create_if_missing", "batchput", "first", "1", "second", "2");

        // One row to each transaction, while it is backed up.
        using Process writer = StartWriter(sqlite);
        HoldfastResult firstBackup = await ExpectAsync(hosts, DatabaseHost, 0, "db", "backup", $"sqlite:{sqlite}", "--json");
        HoldfastResult rocksBackup = await ExpectAsync(hosts, DatabaseHost, 0, "db", "backup", $"rocksdb:{rocks}", "--json");
        hosts.Unplug(VaultHost);
        HoldfastResult cutOff = await RunAsync(hosts, DatabaseHost, "points");
        Assert.True(cutOff.Code == 1, cutOff.ToString());
        Assert.Contains(NetworkHosts.AddressOf(VaultHost), cutOff.Error, StringComparison.Ordinal);
        hosts.Plug(VaultHost);
        HoldfastResult secondBackup = await ExpectAsync(hosts, DatabaseHost, 0, "db", "backup", $"sqlite:{sqlite}", "--json");
        long written = await EndAsync(writer, sqlite);

        world.Variables["XDG_STATE_HOME"] = world.PathOf("state-of-third");
        long first = await RestoreAsync(hosts, firstBackup, "first.db");
        long second = await RestoreAsync(hosts, secondBackup, "second.db");
        Assert.True(first <= second && second <= written && 0 < second, $"{first} {second} {written}");

        string restored = world.PathOf("orders-restored");
        await ExpectAsync(hosts, RestoreHost, 0, "db", "restore", PointOf(rocksBackup), "--to", restored);
        Assert.Equal("first : 1\nsecond : 2\n", await RunToolAsync("ldb", $"--db={restored}", "scan"));
        await RunToolAsync("ldb", $"--db={restored}", "checkconsistency");
    }

    private async Task<long> RestoreAsync(NetworkHosts hosts, HoldfastResult backup, string name)
    {
        string target = world.PathOf(name);
        await ExpectAsync(hosts, RestoreHost, 0, "db", "restore", PointOf(backup), "--to", target);
        Assert.Equal("ok\n", await RunToolAsync("sqlite3", target, "PRAGMA integrity_check;"));
        // Without gaps: a moment of the database, not a mixture.
        string[] counts = (await RunToolAsync("sqlite3", target, "SELECT count(*), coalesce(max(id), 0) FROM entries;")).Trim().Split('|');
        Assert.Equal(counts[0], counts[1]);
        return long.Parse(counts[0], CultureInfo.InvariantCulture);
    }

    private static string PointOf(HoldfastResult backup) => backup.Summary.GetProperty("point").GetString()!;

    private async Task<HoldfastResult> ExpectAsync(NetworkHosts hosts, int host, int code, params string[] arguments)
    {
        HoldfastResult result = await RunAsync(hosts, host, arguments);
        Assert.True(result.Code == code, $"host {host}: holdfast {string.Join(' ', arguments)}: {code} expected, {result}");
        return result;
    }

    private async Task<HoldfastResult> RunAsync(NetworkHosts hosts, int host, params string[] arguments)
    {
        using HoldfastProcess process = HoldfastProcess.Start(world.Variables, world.Root, arguments, hosts.On(host));
        process.Input.Close();
        return await process.WaitAsync();
    }

    private static Process StartWriter(string database)
    {
        const string insert = "while [ ! -e \"$0.stop\" ]; do echo \"INSERT INTO entries(content) VALUES (hex(randomblob(500)));\"; done | sqlite3 -cmd '.timeout 20000' \"$0\"";
        return Process.Start(new ProcessStartInfo("/bin/sh", ["-c", insert, database]))!;
    }

    private static async Task<long> EndAsync(Process writer, string database)
    {
        await File.WriteAllTextAsync($"{database}.stop", "");
        await writer.WaitForExitAsync();
        return long.Parse(await RunToolAsync("sqlite3", database, "SELECT count(*) FROM entries;"), CultureInfo.InvariantCulture);
    }

    private static async Task<string> RunToolAsync(string tool, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(tool, arguments) { RedirectStandardOutput = true })!;
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{tool} {string.Join(' ', arguments)}: exit code {process.ExitCode}: {output}");
        return output;
    }
}
