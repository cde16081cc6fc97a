using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using Holdfast.Testing;

namespace Holdfast.Log.Tests.Logs;

/// Goal: today's code reads what any version wrote, and names each damage as it did.
///
/// Method: tests/golden/log has logs as tars, each with all that can be read of it as lines of text. They are written once
/// (<c>./dev golden add</c>) and never again.
[Trait("Category", "Golden")]
public sealed class GoldenLogTests
{
    private static readonly LogOptions Options = LogPrograms.Small;
    private static readonly string Place = Path.Combine(Architecture.Repository.Root, "tests", "golden", "log");

    private static readonly Dictionary<string, Func<SortedDictionary<string, byte[]>>> Sources = new(StringComparer.Ordinal)
    {
        ["whole"] = () => LogImage.Create(Options, seed: 1).Files,
        ["sealed"] = () => Without(LogImage.Create(Options, seed: 2), LogImage.Active),
        ["torn"] = () => Cut(LogImage.Create(Options, seed: 3), LogImage.Active, 7),
        ["damaged"] = () => Flip(LogImage.Create(Options, seed: 4), (LogImage.First, 140), (LogImage.Second, 20), (LogImage.Active, 70)),
        ["unsealed"] = () => Flip(LogImage.Create(Options, seed: 5), (LogImage.First, ^1)),
        ["ring"] = Ring,
        ["replaced"] = Replaced,
    };

    public static TheoryData<string> Names => [.. Sources.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void ALogIsReadAsWhenItWasWritten(string name)
    {
        string tar = Path.Combine(Place, name + ".tar");
        if (!File.Exists(tar) && Environment.GetEnvironmentVariable("HOLDFAST_GOLDEN_ADD") == "1") Write(tar, Sources[name]());
        SortedDictionary<string, byte[]> files = Read(tar);
        string text = Path.ChangeExtension(tar, ".txt");
        string found = Describe(files);
        if (!File.Exists(text) && Environment.GetEnvironmentVariable("HOLDFAST_GOLDEN_ADD") == "1") File.WriteAllText(text, found);
        Assert.Equal(File.ReadAllText(text), found);
    }

    private static string Describe(SortedDictionary<string, byte[]> files)
    {
        var text = new StringBuilder();
        using SegmentedLog log = LogImage.Open(ToDisk(files), Options);
        text.Append(FormattableString.Invariant($"log {log.Id}\n"));
        foreach (LogSegment segment in log.Segments)
        {
            string hash = segment.CheckHash() is null ? "" : ", hash does not fit";
            text.Append(FormattableString.Invariant($"segment {segment.Number} incarnation {segment.Incarnation:x16}: {(segment.IsSealed ? "sealed" : "active")}"));
            text.Append(FormattableString.Invariant($", {segment.EntryCount} entries by its seal, ends at {segment.Readable}{hash}\n"));
        }

        if (log.TornTail is { } torn) text.Append(FormattableString.Invariant($"torn {Path.GetFileName(torn.Path)} at {torn.Offset}, {torn.Length} bytes\n"));
        foreach (LogDamage damage in log.Damages) Add(damage);
        using LogReader reader = log.OpenReader(default, LogReadBound.Appended);
        while (reader.TryRead())
        {
            if (reader.Damage is { } damage) Add(damage);
            else text.Append(FormattableString.Invariant($"{reader.Position} {reader.Payload.Length} {Convert.ToHexStringLower(SHA256.HashData(reader.Payload))[..16]}\n"));
        }

        return text.ToString();

        // Not the wording, which may become better.
        void Add(LogDamage damage) =>
            text.Append(FormattableString.Invariant($"damage {Path.GetFileName(damage.Path)} from {damage.Offset}, {damage.Length} bytes\n"));
    }

    private static SortedDictionary<string, byte[]> Without(LogImage image, string name)
    {
        image.Files.Remove(name);
        return image.Files;
    }

    private static SortedDictionary<string, byte[]> Cut(LogImage image, string name, int bytes)
    {
        image.Files[name] = image.Files[name][..^bytes];
        return image.Files;
    }

    private static SortedDictionary<string, byte[]> Flip(LogImage image, params (string Name, Index At)[] places)
    {
        foreach ((string name, Index at) in places) image.Files[name][at] ^= 4;
        return image.Files;
    }

    private static SortedDictionary<string, byte[]> Ring()
    {
        var disk = new SimulatedDisk(seed: 1);
        using (SegmentedLog log = LogImage.Open(disk, LogPrograms.Ring))
        {
            for (int i = 0; i < 40; i++)
            {
                log.Append([(byte)i, .. new byte[500]]);
                while (log.Segments.Count > 2) log.Drop(log.Segments[0]);
            }
        }

        return Named(disk);
    }

    // Cut off after the replacement was made and before what it replaces was removed.
    private static SortedDictionary<string, byte[]> Replaced()
    {
        var disk = new SimulatedDisk(seed: 1);
        using SegmentedLog log = LogImage.Open(disk, Options);
        for (int i = 0; i < 12; i++) log.Append([(byte)i, .. new byte[900]]);
        _ = log.Seal();
        LogSegment[] replaced = [.. log.Segments];
        using LogReplacement replacement = log.TryBeginReplacement(replaced)!;
        foreach (LogSegment segment in replaced)
        {
            _ = segment.Scan(
                (_, payload) =>
                {
                    if (payload[0] % 2 == 0) replacement.Append(payload);
                },
                CancellationToken.None);
        }

        log.Append([100]);
        _ = replacement.Commit();
        return Named(disk);
    }

    private static SortedDictionary<string, byte[]> Named(SimulatedDisk disk)
    {
        SortedDictionary<string, byte[]> files = LogImage.FilesOf(disk);
        foreach (string name in files.Keys.Where(n => n.StartsWith("free-", StringComparison.Ordinal)).ToArray()) files.Remove(name);
        return files;
    }

    private static void Write(string path, SortedDictionary<string, byte[]> files)
    {
        Directory.CreateDirectory(Place);
        using FileStream file = File.Create(path);
        using var tar = new TarWriter(file, TarEntryFormat.Ustar);
        foreach ((string name, byte[] bytes) in files)
        {
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name)
            {
                DataStream = new MemoryStream(bytes),
                ModificationTime = SimulatedClock.DefaultStart,
                Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }
    }

    private static SortedDictionary<string, byte[]> Read(string path)
    {
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        using FileStream file = File.OpenRead(path);
        using var tar = new TarReader(file);
        while (tar.GetNextEntry() is { } entry)
        {
            var content = new MemoryStream();
            entry.DataStream?.CopyTo(content);
            files.Add(entry.Name, content.ToArray());
        }

        return files;
    }

    private static SimulatedDisk ToDisk(SortedDictionary<string, byte[]> files) => LogImage.ToDisk(files);
}
