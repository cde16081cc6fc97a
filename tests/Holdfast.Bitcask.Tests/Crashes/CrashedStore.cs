using Holdfast.Bitcask.Tests.Stores;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Bitcask.Tests.Crashes;

/// <summary>What is found after a power cut, and whether all goes on well from there.</summary>
internal sealed class CrashedStore
{
    private const int MaxCheckpoints = 4;

    private readonly SimulatedHost host;
    private readonly BitcaskOptions options;

    private CrashedStore(SimulatedHost host, BitcaskOptions options)
    {
        this.host = host;
        this.options = options;
    }

    /// <summary>The store's content.</summary>
    public string Content { get; private set; } = "";

    /// <summary>The content of each checkpoint that has its name, by number.</summary>
    public Dictionary<int, string> Checkpoints { get; } = [];

    /// <summary>What is wrong, whatever the program was; null = nothing.</summary>
    public string? Fault { get; private set; }

    /// <summary>Looks at a disk, which is changed.</summary>
    public static CrashedStore LookAt(SimulatedHost host, KeydirKind keydir)
    {
        var found = new CrashedStore(host, StoreTesting.Small with { Keydir = keydir, MinImageKeys = 1 });
        try
        {
            found.Open();
        }
        catch (HoldfastException failure)
        {
            found.Fault ??= failure.ToString();
        }

        return found;
    }

    private void Open()
    {
        for (int i = 0; i < MaxCheckpoints; i++)
        {
            string path = CrashProgram.CheckpointPath(i);
            if (host.Disk.TryStat(path) is not null) Checkpoints.Add(i, Verified(path));
        }

        using (BitcaskStore store = BitcaskStore.Open(host, CrashProgram.Directory, options))
        {
            Note(store);
            Content = StoreTesting.Describe(store);
            store.Merge(MergeScope.All);
            Compare("merged", Content, store);
            store.Put("z", "new");
            store.Merge(MergeScope.All);
            Compare("merged again", $"{Content}z=new ", store);
        }

        using (BitcaskStore store = BitcaskStore.Open(host, CrashProgram.Directory, options))
        {
            Note(store);
            Compare("opened again", $"{Content}z=new ", store);
            foreach (string key in StoreTesting.ReadAll(store).Keys) Assert.True(store.Delete(key));
            store.Merge(MergeScope.All);
            Compare("all deleted", "", store);
        }

        using (BitcaskStore store = BitcaskStore.Open(host, CrashProgram.Directory, options))
        {
            Note(store);
            Compare("all deleted and opened again", "", store);
        }
    }

    private string Verified(string path)
    {
        VerifyReport report = BitcaskStore.Verify(host, path, all: true, CancellationToken.None);
        if (!report.IsWhole) Fault ??= $"{path}: {string.Join("; ", report.Damages)}";
        // Nothing but the sealed segments, their hints and the manifest is in it, so without segments there is no store
        // to open.
        if (report.Segments == 0) return "";
        return StoreTesting.With(host, path, options with { ReadOnly = true }, StoreTesting.Describe);
    }

    private void Note(BitcaskStore store)
    {
        if (store.Damages.Count > 0) Fault ??= $"damage reported: {string.Join("; ", store.Damages)}";
    }

    private void Compare(string when, string expected, BitcaskStore store)
    {
        string found = StoreTesting.Describe(store);
        if (found != expected) Fault ??= $"{when}: '{found}', expected '{expected}'";
    }
}
