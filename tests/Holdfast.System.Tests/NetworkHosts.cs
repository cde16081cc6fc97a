using System.Diagnostics;

namespace Holdfast.System.Tests;

/// Three machines as far as the network goes: each a namespace with an address of its own, all on one bridge that nothing else is on.
public sealed class NetworkHosts : IDisposable
{
    private const string Net = "10.219.77";

    // Names of devices have at most 15 characters.
    private readonly string id = Guid.NewGuid().ToString("n")[..6];
    private readonly string[] names;

    public NetworkHosts()
    {
        names = [.. Enumerable.Range(0, 3).Select(i => $"hf{id}-{i}")];
        // The bridge lies in the first one: nothing of the test is in the network of the machine itself.
        foreach (string name in names)
        {
            Ip("netns", "add", name);
            Ip("-n", name, "link", "set", "lo", "up");
        }

        Ip("-n", names[0], "link", "add", "bridge", "type", "bridge");
        Ip("-n", names[0], "addr", "add", $"{Net}.1/24", "dev", "bridge");
        Ip("-n", names[0], "link", "set", "bridge", "up");
        for (int i = 1; i < names.Length; i++)
        {
            string device = $"to-{i}";
            Ip("-n", names[0], "link", "add", device, "type", "veth", "peer", "name", "eth", "netns", names[i]);
            Ip("-n", names[0], "link", "set", device, "master", "bridge");
            Ip("-n", names[0], "link", "set", device, "up");
            Ip("-n", names[i], "addr", "add", $"{AddressOf(i)}/24", "dev", "eth");
            Ip("-n", names[i], "link", "set", "eth", "up");
        }
    }

    public static string AddressOf(int host) => $"{Net}.{host + 1}";

    /// What a command begins with that runs on a host.
    public string[] On(int host) => ["ip", "netns", "exec", names[host]];

    /// Takes a host off the network.
    public void Unplug(int host) => Ip("-n", names[0], "link", "set", $"to-{host}", "down");

    /// Puts it back.
    public void Plug(int host) => Ip("-n", names[0], "link", "set", $"to-{host}", "up");

    public void Dispose()
    {
        foreach (string name in names) Ip("netns", "del", name);
    }

    private static void Ip(params string[] words)
    {
        var start = new ProcessStartInfo("ip", words) { RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"ip {string.Join(' ', words)}: {error}");
    }
}
