using Holdfast.Databases.Checkpoints;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Databases.Tests.Checkpoints;

/// A copy gets its name only when it is whole, and what was there goes only then, wherever the power is cut.
public sealed class CheckpointStageTests
{
    private const string Target = "/data/copy";

    [Fact]
    public void ACopyIsSeenWholeOrNotAtAllAfterAPowerCutAnywhere()
    {
        SimulatedHost host = HostWithData();
        bool isDone = false;
        var cuts = new PowerCuts<bool>(host.Disk, () => isDone);

        Make(host, "new", replace: false);
        isDone = true;

        IReadOnlyList<PowerCut<bool>> states = cuts.End();
        Assert.True(cuts.IsAll);
        Assert.True(states.Count > 10);
        foreach (PowerCut<bool> cut in states)
        {
            string? found = Read(cut.Disk, Target);
            Assert.True(found == "new" || (found is null && !cut.Moments.Any(done => done)), cut.ToString());
            AssertNextRunCleansUp(cut, found);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WhatIsReplacedIsThereUntilTheNewOneIs(bool exchanges)
    {
        SimulatedHost host = HostWithData();
        Make(host, "old", replace: false);
        host.Disk.Exchanges = exchanges;
        bool isDone = false;
        var cuts = new PowerCuts<bool>(host.Disk, () => isDone);

        Make(host, "new", replace: true);
        isDone = true;

        IReadOnlyList<PowerCut<bool>> states = cuts.End();
        Assert.True(cuts.IsAll);
        foreach (PowerCut<bool> cut in states)
        {
            string? found = Read(cut.Disk, Target);
            if (exchanges) Assert.True(found is not null, cut.ToString());
            // Without an exchange nothing may have the name for a moment: then the next run puts the old one back.
            AssertNextRunCleansUp(cut, found ?? "old");
            if (cut.Moments.All(done => done)) Assert.Equal("new", found);
        }
    }

    [Fact]
    public void AStageInUseIsLeftAlone()
    {
        SimulatedHost host = HostWithData();
        using CheckpointStage first = CheckpointStage.Begin(host, Target);
        Fill(host, first, "first");

        Make(host, "second", replace: false);

        Assert.Equal("first", Read(host.Disk, first.Content));
        Assert.Equal("second", Read(host.Disk, Target));
    }

    [Fact]
    public void AFailedCallLeavesTheOldOneAndNothingElse()
    {
        for (int call = 0; ; call++)
        {
            SimulatedHost host = HostWithData();
            Make(host, "old", replace: false);
            int before = host.Disk.CallCount;
            host.Disk.FailAt(before + call, DiskException.InputOutput);
            try
            {
                Make(host, "new", replace: true);
                if (host.Disk.CallCount <= before + call) return;
            }
            catch (DiskException)
            {
                // Reported.
            }

            host.Disk.Fault = null;
            Assert.True(Read(host.Disk, Target) is "old" or "new", $"call {call}");
            Make(host, "next", replace: true);
            Assert.True(host.Disk.Paths().Count == 4, $"call {call}: {string.Join(' ', host.Disk.Paths())}");
        }
    }

    private static SimulatedHost HostWithData()
    {
        SimulatedHost host = SimulatedHost.Create(seed: 1);
        Assert.True(host.Disk.TryCreateDirectory("/data"));
        host.Disk.SyncDirectory("/");
        return host;
    }

    private static void AssertNextRunCleansUp(PowerCut<bool> cut, string? expected)
    {
        SimulatedDisk disk = cut.Disk.Fork();
        using (CheckpointStage.Begin(new SimulatedHost(disk, new SimulatedClock(), new SimulatedEntropy(2)), Target))
        {
            Assert.True(Read(disk, Target) == expected, cut.ToString());
        }

        string[] allowed = expected is null ? ["/data/"] : ["/data/", "/data/copy/", "/data/copy/a", "/data/copy/b"];
        Assert.Equal(allowed, disk.Paths().Order(StringComparer.Ordinal));
    }

    private static void Make(SimulatedHost host, string content, bool replace)
    {
        using CheckpointStage stage = CheckpointStage.Begin(host, Target);
        Fill(host, stage, content);
        stage.CommitDirectory(replace);
    }

    private static void Fill(SimulatedHost host, CheckpointStage stage, string content)
    {
        Assert.True(host.Disk.TryCreateDirectory(stage.Content));
        foreach (string name in (string[])["a", "b"])
        {
            using IDiskFile file = host.Disk.CreateUnnamed(stage.Content);
            file.Write(0, System.Text.Encoding.UTF8.GetBytes(content));
            file.Sync();
            Assert.True(host.Disk.TryPublish(file, $"{stage.Content}/{name}"));
        }
    }

    /// The content that all files of a copy have; null when there is none; fails when it is not whole.
    private static string? Read(SimulatedDisk disk, string directory)
    {
        if (disk.TryStat(directory) is null) return null;
        string[] found = [.. ((string[])["a", "b"]).Select(name =>
        {
            using IDiskFile? file = disk.TryOpen($"{directory}/{name}", DiskAccess.Read);
            if (file is null) return "(missing)";
            byte[] bytes = new byte[file.Length];
            _ = file.Read(0, bytes);
            return System.Text.Encoding.UTF8.GetString(bytes);
        })];
        return found[0] == found[1] ? found[0] : throw new InvalidOperationException($"mixed: {found[0]} and {found[1]}");
    }
}
