using System.Text;
using Holdfast.Databases.Checkpoints;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Databases.Tests.Checkpoints;

/// A cache of hashes: whole or not at all, and never of another file.
public sealed class KnownHashesTests
{
    private const string Path = "/hashes";

    [Fact]
    public void WhatWasSavedIsKnownAgain()
    {
        SimulatedHost host = SimulatedHost.Create(seed: 1);
        KnownHashes known = KnownHashes.Load(host.Disk, Path);
        known.Add("a/1", 10, "aa");
        known.Add("b 2", 20, "bb");
        Assert.False(known.IsSaved);

        known.Save(host, Path);

        Assert.True(known.IsSaved);
        KnownHashes read = KnownHashes.Load(host.Disk, Path);
        Assert.Equal(("aa", "bb"), (read.Find("a/1", 10), read.Find("b 2", 20)));
        Assert.Null(read.Find("a/1", 11));
        Assert.True(read.IsSaved);
    }

    [Fact]
    public void WhatTheLastCheckpointLacksIsForgotten()
    {
        var known = new KnownHashes();
        known.Add("a", 1, "aa");
        known.Add("b", 2, "bb");

        known.KeepOnly([new CheckpointFile("x", 2, "bb", "b", FileTransfer.Linked), new CheckpointFile("y", 1, "aa", null, FileTransfer.Copied)]);

        Assert.Equal((null, "bb"), (known.Find("a", 1), known.Find("b", 2)));
    }

    [Fact]
    public void ADamagedFileIsAsGoodAsNone()
    {
        SimulatedHost host = SimulatedHost.Create(seed: 1);
        var known = new KnownHashes();
        known.Add("a", 1, "aa");
        known.Save(host, Path);
        byte[] whole = Bytes(host);
        for (int at = 0; at < whole.Length; at++)
        {
            byte[] flipped = [.. whole];
            flipped[at] ^= 1;
            Replace(host, flipped);
            Assert.True(KnownHashes.Load(host.Disk, Path).Find("a", 1) is null, $"byte {at}: {Encoding.UTF8.GetString(flipped)}");
            Replace(host, whole[..at]);
            Assert.Null(KnownHashes.Load(host.Disk, Path).Find("a", 1));
        }

        Replace(host, whole);
        Assert.Equal("aa", KnownHashes.Load(host.Disk, Path).Find("a", 1));
    }

    private static byte[] Bytes(SimulatedHost host)
    {
        using IDiskFile file = host.Disk.TryOpen(Path, DiskAccess.Read)!;
        byte[] bytes = new byte[file.Length];
        _ = file.Read(0, bytes);
        return bytes;
    }

    private static void Replace(SimulatedHost host, byte[] bytes)
    {
        _ = host.Disk.TryDelete(Path);
        using IDiskFile file = host.Disk.CreateUnnamed("/");
        file.Write(0, bytes);
        Assert.True(host.Disk.TryPublish(file, Path));
    }
}
