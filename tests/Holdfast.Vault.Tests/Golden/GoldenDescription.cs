using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Testing;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Querying;
using Holdfast.Vault.Trees;
using TreeEntry = Holdfast.Vault.Trees.TreeEntry;

namespace Holdfast.Vault.Tests.Golden;

/// <summary>
/// All that can be read of a vault as lines of text: its points with every entry, what a check finds and what that affects, and
/// what comes back. No wording of messages, which may become better.
/// </summary>
internal sealed class GoldenDescription
{
    private readonly StringBuilder text = new();

    /// <summary>Describes a vault, and goes on in it where its keys are known to it: it is another afterwards.</summary>
    public static async Task<string> OfVaultAsync(MemoryObjectStore store, SimulatedClock clock, CancellationToken stop)
    {
        var description = new GoldenDescription();
        OpenVault vault;
        try
        {
            vault = await GoldenFiles.OpenAsync(store, stop);
        }
        catch (HoldfastException error)
        {
            description.Line($"does not open: {error.Kind}");
            return description.text.ToString();
        }

        using (vault)
        {
            description.Line($"vault {vault.Id}");
            foreach (RestorePoint point in await RestorePoints.ListAsync(vault, stop)) await description.AddPointAsync(vault, point, stop);
            await description.AddCheckAsync(vault, stop);
            // The first golden vaults say nothing of keys.
            if (!store.Names.Any(static name => name.StartsWith(WriterStatement.Prefix, StringComparison.Ordinal))) return description.text.ToString();
            await GoldenState.AddAsync(vault, description.Line, stop);
            await GoldenAccess.AddOthersAsync(vault, store, description.Line, stop);
            await GoldenAccess.AddAfterPruneAsync(store, clock, description.Line, stop);
        }

        return description.text.ToString();
    }

    public static async Task<string> OfExportAsync(byte[] export, CancellationToken stop)
    {
        var description = new GoldenDescription();
        using var secret = new VaultSecret(Encoding.UTF8.GetBytes(GoldenFiles.Password));
        using var target = new GoldenPlace();
        using (DirectoryTree tree = DirectoryTree.TryOpen(Encoding.UTF8.GetBytes(target.Path)).Value)
        {
            await ApplyRun.RunAsync(new MemoryStream(export), secret, tree, new ApplyRequest { KeepOwners = false }, stop);
        }

        description.AddFiles(target.Path, "applied");
        return description.text.ToString();
    }

    private void Line(string line) => text.Append(line.TrimEnd()).Append('\n');

    private async Task AddPointAsync(OpenVault vault, RestorePoint point, CancellationToken stop)
    {
        string based = point.Base is { } id ? $" since {id}" : "";
        Line($"point {point.Id} {point.Kind} {point.Time:yyyy-MM-dd'T'HH:mm:ss'Z'}{based} of {point.Host}: {string.Join(' ', point.Roots.Select(root => BytePath.Display(root.Span)))}");
        if (point.Origin is { } origin) Line($"  made in {origin.Vault} as {origin.Point}");
        if (point.Hold is { } hold) Line($"  on hold since {hold.Since:yyyy-MM-dd'T'HH:mm:ss'Z'} until {hold.Until:yyyy-MM-dd'T'HH:mm:ss'Z'}: {hold.Reason}");
        Line($"  tags {string.Join(',', point.Tags)}; {point.Counts.Files} files, {point.Counts.Directories} directories, {point.Counts.Bytes} bytes");
        try
        {
            TreeReader trees = vault.Trees.Within(point);
            foreach (TreeEntry root in await trees.ReadRootsAsync(point, stop))
            {
                await AddEntryAsync(vault, root.Name, root, stop);
                if (!root.IsDirectory) continue;
                await foreach (TreeItem item in TreeWalk.BelowAsync(trees, root, root.Name, stop)) await AddEntryAsync(vault, item.Path, item.Entry, stop);
            }
        }
        catch (DamageException)
        {
            Line("  and no further: damage");
        }

        await AddChangesAsync(vault, point, stop);
        await AddRestoreAsync(vault, point, stop);
    }

    private async Task AddEntryAsync(OpenVault vault, byte[] path, TreeEntry entry, CancellationToken stop)
    {
        NodeAttributes attributes = entry.Attributes;
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"  {attributes.Kind} {Convert.ToString(attributes.Mode, 8)} {attributes.Uid}:{attributes.Gid}");
        line.Append(CultureInfo.InvariantCulture, $" {attributes.ModifyTime.Seconds}.{attributes.ModifyTime.Nanoseconds:d9} {BytePath.Display(path)}");
        if (entry.IsHardLinked) line.Append(CultureInfo.InvariantCulture, $" links {attributes.LinkCount} of {attributes.Device}.{attributes.Inode}");
        if (entry.Target is not null) line.Append(" -> ").Append(BytePath.Display(entry.Target));
        if (attributes.Kind is NodeKind.BlockDevice or NodeKind.CharacterDevice) line.Append(CultureInfo.InvariantCulture, $" {attributes.DeviceMajor},{attributes.DeviceMinor}");
        foreach (Xattr xattr in entry.Xattrs) line.Append(CultureInfo.InvariantCulture, $" {BytePath.Display(xattr.Name)}={Convert.ToHexStringLower(xattr.Value)}");
        if (attributes.Kind == NodeKind.Regular) line.Append(CultureInfo.InvariantCulture, $" {attributes.Size} bytes {await DigestAsync(vault, entry.Content!, stop)}");
        Line(line.ToString());
    }

    private static async Task<string> DigestAsync(OpenVault vault, Content content, CancellationToken stop)
    {
        using var hash = SHA256.Create();
        try
        {
            using (var stream = new CryptoStream(Stream.Null, hash, CryptoStreamMode.Write)) await ContentPieces.CopyAsync(vault, content, stream, stop);
            return ShortHex(hash.Hash!);
        }
        catch (DamageException)
        {
            return "lost";
        }
    }

    private async Task AddChangesAsync(OpenVault vault, RestorePoint point, CancellationToken stop)
    {
        try
        {
            await foreach (TreeChange change in RestorePoints.ReadChangesAsync(vault, point, stop)) Line($"  change {change.Kind} {BytePath.Display(change.Path.Span)}");
        }
        catch (DamageException)
        {
            Line("  and no further changes: damage");
        }
    }

    /// <summary>Regular files and symlinks: anybody may make them.</summary>
    private async Task AddRestoreAsync(OpenVault vault, RestorePoint point, CancellationToken stop)
    {
        using var target = new GoldenPlace();
        try
        {
            using DirectoryTree tree = DirectoryTree.TryOpen(Encoding.UTF8.GetBytes(target.Path)).Value;
            RestoreSummary summary = await RestoreRun.RunAsync(vault, point, new RestoreRequest { Target = tree, KeepOwners = false }, stop);
            Line($"  restore: {(summary.Damaged == 0 ? "whole" : $"{summary.Damaged} damaged")}");
        }
        catch (DamageException)
        {
            Line("  restore: nothing");
        }

        AddFiles(target.Path, "restored");
    }

    private void AddFiles(string path, string word)
    {
        foreach ((string name, Testing.TreeEntry entry) in TreeSnapshot.Take(path).Entries)
        {
            if (entry.Kind == NodeKind.Regular) Line($"  {word} {entry.Kind} {name} {entry.Size} {entry.Content![..16]}");
            if (entry.Kind == NodeKind.Symlink) Line($"  {word} {entry.Kind} {name} -> {BytePath.Display(entry.Target)}");
        }
    }

    private async Task AddCheckAsync(OpenVault vault, CancellationToken stop)
    {
        CheckReport report = await CheckRun.RunAsync(vault, new CheckRequest { ReadData = true }, stop);
        Line($"check: {report.Points} points, {report.Packs} packs, {report.IndexObjects} index objects, {report.UnfinishedSessions} unfinished sessions");
        foreach (DamagedThing damage in report.Damages)
        {
            Line($"  damaged {damage.ObjectName}");
            foreach (string affected in damage.Affected.Select(Describe).Order(StringComparer.Ordinal)) Line($"    affects {affected}");
        }
    }

    private static string Describe(AffectedPath affected) =>
        $"{affected.Point} {affected.Kind} {BytePath.Display(affected.Path.Span)}{string.Concat(affected.Ranges.Select(range => $" {range.Offset}+{range.Length}"))}";

    private static string ShortHex(byte[] digest) => Convert.ToHexStringLower(digest)[..16];
}
