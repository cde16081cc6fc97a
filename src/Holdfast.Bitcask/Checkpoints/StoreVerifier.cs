using Holdfast.Log;

namespace Holdfast.Bitcask.Checkpoints;

/// <summary>Reads stores and copies of them and says what is wrong.</summary>
internal static class StoreVerifier
{
    /// <summary>Verifies a copy against its manifest, and that it opens with all keys.</summary>
    public static VerifyReport VerifyCopy(
        Host host, string directory, Manifest manifest, bool all, CancellationToken cancellationToken)
    {
        var damages = new List<LogDamage>();
        var verified = new List<ManifestSegment>();
        long bytesRead = 0;
        foreach (ManifestSegment segment in manifest.Segments)
        {
            cancellationToken.ThrowIfCancellationRequested();
            bool reads = all || segment.Verified is null;
            int before = damages.Count;
            Check(host.Disk, directory, segment.Number, segment.Data, reads, damages, ref bytesRead);
            if (segment.Hint is { } hint) Check(host.Disk, directory, segment.Number, hint, reads, damages, ref bytesRead);
            verified.Add(damages.Count == before && reads ? segment with { Verified = host.Clock.GetUtcNow() } : segment);
        }

        long keys = Open(host, directory, manifest, damages);
        if (damages.Count == 0) (manifest with { Segments = verified }).Replace(host.Disk, host.Entropy, directory);
        return new VerifyReport(keys, manifest.Segments.Count, bytesRead, damages);
    }

    /// <summary>Reads all records, seals and hints of a store.</summary>
    public static VerifyReport VerifyStore(Host host, string directory, CancellationToken cancellationToken)
    {
        using BitcaskStore store = OpenToRead(host, directory);
        var damages = new List<LogDamage>(store.Damages);
        long bytesRead = store.ReadAll(damages, cancellationToken);
        return new VerifyReport(
            store.Count, store.GetStatistics().Segments.Count, bytesRead,
            [.. damages.DistinctBy(damage => (damage.Path, damage.Offset))]);
    }

    private static BitcaskStore OpenToRead(Host host, string directory) =>
        BitcaskStore.Open(host, directory, new BitcaskOptions { ReadOnly = true, Create = false });

    private static long Open(Host host, string directory, Manifest manifest, List<LogDamage> damages)
    {
        if (manifest.Segments.Count == 0) return 0;
        try
        {
            using BitcaskStore store = OpenToRead(host, directory);
            damages.AddRange(store.Damages);
            Compare("store", store.Id.ToString(), manifest.Store);
            Compare("keys", store.Count, manifest.Keys);
            Compare("sequence", store.Sequence, manifest.Sequence);
            return store.Count;

            void Compare<T>(string what, T found, T expected)
                where T : IEquatable<T>
            {
                if (found.Equals(expected)) return;
                string path = $"{directory}/{Manifest.FileName}";
                damages.Add(new LogDamage(0, path, 0, 0, $"{what} {found}, expected {expected}"));
            }
        }
        catch (HoldfastException failure) when (failure.Kind is ErrorKind.Damage or ErrorKind.NotThere)
        {
            damages.Add(new LogDamage(0, directory, 0, 0, failure.Message));
            return 0;
        }
    }

    private static void Check(
        IDisk disk, string directory, uint segment, ManifestFile expected, bool reads, List<LogDamage> damages,
        ref long bytesRead)
    {
        string path = $"{directory}/{expected.Name}";
        using IDiskFile? file = disk.TryOpen(path, DiskAccess.Read);
        if (file is null)
        {
            damages.Add(new LogDamage(segment, path, 0, expected.Bytes, "the file is missing"));
            return;
        }

        long length = file.Length;
        if (length != expected.Bytes)
        {
            damages.Add(new LogDamage(segment, path, Math.Min(length, expected.Bytes), Math.Abs(expected.Bytes - length), $"{length} bytes, expected {expected.Bytes}"));
            return;
        }

        if (!reads) return;
        string found = Convert.ToHexStringLower(ContentHash.Of(file, length));
        bytesRead += length;
        if (found != expected.Hash) damages.Add(new LogDamage(segment, path, 0, length, $"hash {found}, expected {expected.Hash}"));
    }
}
