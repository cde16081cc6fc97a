using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Holdfast.Log;

namespace Holdfast.Databases.Checkpoints;

/// <summary>
/// Hashes of files that never change, by their identity: each is computed once. A cache: what is lost is computed again. Layout:
/// docs/formats/checkpoint.md, "Known hashes". May be used from any thread.
/// </summary>
internal sealed class KnownHashes
{
    private const string Header = "holdfast-hashes 1";
    private const int MaxBytes = 256 << 20;

    private readonly ConcurrentDictionary<(string Identity, long Bytes), string> hashes = new();

    /// <summary>Whether what is known is what was loaded or saved last.</summary>
    public bool IsSaved { get; private set; } = true;

    /// <summary>The hash of a file; null when it is not known.</summary>
    public string? Find(string identity, long bytes) => hashes.GetValueOrDefault((identity, bytes));

    /// <summary>Remembers a hash.</summary>
    public void Add(string identity, long bytes, string hash)
    {
        hashes[(identity, bytes)] = hash;
        IsSaved = false;
    }

    /// <summary>Forgets all but those of some files: what the last checkpoint does not have, later ones rarely have again.</summary>
    public void KeepOnly(IEnumerable<CheckpointFile> files)
    {
        HashSet<(string, long)> kept = [.. files.Where(file => file.Identity is not null).Select(file => (file.Identity!, file.Bytes))];
        foreach ((string, long) key in hashes.Keys)
        {
            if (kept.Contains(key)) continue;
            hashes.TryRemove(key, out _);
            IsSaved = false;
        }
    }

    /// <summary>Reads what was saved; nothing when there is nothing, or it is not whole.</summary>
    public static KnownHashes Load(IDisk disk, string path)
    {
        var known = new KnownHashes();
        using IDiskFile? file = disk.TryOpen(path, DiskAccess.Read);
        if (file is null || file.Length > MaxBytes) return known;
        byte[] bytes = new byte[file.Length];
        string text = Encoding.UTF8.GetString(bytes, 0, file.Read(0, bytes));
        int end = text.LastIndexOf("\nend ", StringComparison.Ordinal) + 1;
        if (end == 0 || text[end..] != Trailer(text[..end])) return known;
        string[] lines = text[..end].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines[0] != Header) return known;
        foreach (string line in lines.AsSpan(1))
        {
            if (line.Split('\t') is [string hash, string length, string identity]
                && long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out long number))
            {
                known.hashes[(identity, number)] = hash;
            }
        }

        return known;
    }

    /// <summary>Saves them, in one step.</summary>
    /// <param name="host">Disk and randomness.</param>
    /// <param name="path">The file; its directory exists.</param>
    public void Save(Host host, string path)
    {
        var text = new StringBuilder(Header).Append('\n');
        foreach (((string identity, long bytes), string hash) in hashes)
        {
            text.Append(CultureInfo.InvariantCulture, $"{hash}\t{bytes}\t{identity}\n");
        }

        text.Append(Trailer(text.ToString()));
        string directory = Path.GetDirectoryName(path)!;
        Span<byte> random = stackalloc byte[8];
        host.Entropy.Fill(random);
        string staged = $"{directory}/{IDisk.StagingPrefix}{Convert.ToHexStringLower(random)}";
        using IDiskFile file = host.Disk.CreateUnnamed(directory);
        file.Write(0, Encoding.UTF8.GetBytes(text.ToString()));
        file.Sync();
        if (!host.Disk.TryPublish(file, staged)) throw new InvalidOperationException($"{staged} exists");
        host.Disk.Rename(staged, path);
        IsSaved = true;
    }

    private static string Trailer(string body) =>
        string.Create(CultureInfo.InvariantCulture, $"end {Crc32C.Append(0, Encoding.UTF8.GetBytes(body)):x8}\n");
}
