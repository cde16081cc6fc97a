using Holdfast.Cli.Terminals;
using Holdfast.Files;
using Holdfast.Files.Selection;
using Holdfast.Log;
using Holdfast.Vault;

namespace Holdfast.Cli.Commands.Backup;

/// <summary>Does what <c>backup</c> is asked for.</summary>
internal sealed class BackupVerb(BackupOptions options, CommandContext context)
{
    private readonly WorkProgress progress = new();
    private readonly StatePlace? statePlace = StatePlace.Find(context);
    private readonly long started = context.Clock.GetTimestamp();

    /// <summary>Makes the restore point and returns the exit code.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        // All that can be wrong with the command line comes before the password.
        PathRules rules = await ReadRulesAsync(cancellationToken).ConfigureAwait(false);
        VaultPlace? vaultPlace = await VaultPlace.FindAsync(context.VaultAddress).ConfigureAwait(false);
        using var sources = new SourceRoots(vaultPlace, Tell);
        if (options.StdinName is null)
        {
            List<byte[]> listed = await PathLists.ReadAsync(options, cancellationToken).ConfigureAwait(false);
            await sources.AddAsync(options.Paths.Select(static path => SurrogateEscape.Encode(path)), listed).ConfigureAwait(false);
        }

        using VaultSecret secret = await context.GetSecretAsync(cancellationToken).ConfigureAwait(false);
        using Stream? input = options.StdinName is null ? null : InputFile.StandardInput();
        BackupRequest request = CreateRequest(sources.Roots, rules, vaultPlace, input);
        OpenVault? vault = null;
        try
        {
            BackupSummary summary;
            using (context.Output.ShowProgress(progress))
            {
                // The source is listed while the password becomes a key, which takes a moment by intention.
                summary = await BackupRun.RunAsync(context.Clock, OpenAsync, request, cancellationToken).ConfigureAwait(false);
            }

            return Report(summary, vault!);
        }
        finally
        {
            vault?.Dispose();
        }

        async Task<OpenVault> OpenAsync(CancellationToken cancellation) =>
            vault = await Task.Run(() => context.OpenVaultAsync(secret, VaultUse.Backup, cancellation), cancellation).ConfigureAwait(false);
    }

    private int Report(BackupSummary summary, OpenVault vault)
    {
        if (options.Kind == BackupKind.Differential && summary.Kind == PointKind.Full)
        {
            context.Output.Notice("there was no full point of this source to compare with: the new one is full");
        }

        context.EndWith(vault, DamageReach.Nothing);
        BackupReport.Write(context.Output, summary, progress.Errors, context.Clock.GetElapsedTime(started));
        return progress.Errors > 0 ? ExitCodes.Of(ErrorKind.Incomplete) : ExitCodes.Done;
    }

    private void Tell(ItemNotice missing)
    {
        if (missing.IsError) progress.AddError();
        context.Tell(missing);
    }

    private BackupRequest CreateRequest(IReadOnlyList<BackupRoot> roots, PathRules rules, VaultPlace? vaultPlace, Stream? input) => new()
    {
        Roots = roots,
        Stream = input,
        StreamName = options.StdinName is { } name ? BytePath.Normalize([(byte)'/', .. SurrogateEscape.Encode(name)]) : default,
        Host = options.HostName ?? Environment.MachineName,
        Tags = options.Tags,
        Time = options.Time,
        Kind = options.Kind switch
        {
            BackupKind.Full => PointKind.Full,
            BackupKind.Differential => PointKind.Differential,
            _ => PointKind.Incremental,
        },
        Rules = rules,
        LeftOut = vaultPlace?.Identity,
        Marks = [.. Marks()],
        MaxFileBytes = options.ExcludeLargerThanBytes,
        OneFileSystem = options.OneFileSystem,
        Checksum = options.Checksum,
        IgnoreChangeTime = options.IgnoreCtime,
        IgnoreInode = options.IgnoreInode,
        CompressionLevel = options.CompressionLevel,
        Workers = context.Workers,
        OpenState = statePlace is null ? null : statePlace.Open,
        IsStatePlace = statePlace is null ? null : statePlace.IsAtAsync,
        DryRun = options.DryRun,
        Program = $"holdfast {HoldfastVersion.Text}",
        Owners = new OwnerNames(),
        OnNotice = context.Tell,
        OnChange = context.Output.Verbose ? context.Tell : null,
        Progress = progress,
    };

    private IEnumerable<ExclusionMark> Marks()
    {
        if (options.ExcludeCaches) yield return new ExclusionMark(CacheDirectoryTag.FileName.ToArray(), CacheDirectoryTag.Signature.ToArray());
        foreach (PresenceMarker marker in options.ExcludeIfPresent)
        {
            yield return new ExclusionMark(SurrogateEscape.Encode(marker.Name), marker.Header is null ? default : SurrogateEscape.Encode(marker.Header));
        }
    }

    private async Task<PathRules> ReadRulesAsync(CancellationToken cancellationToken)
    {
        var patterns = new List<PathPattern>();
        foreach (Exclusion exclusion in options.Exclusions)
        {
            if (exclusion.Kind == ExclusionKind.File)
            {
                byte[] content = await InputFile.ReadAllAsync(exclusion.Text, "--exclude-file", cancellationToken).ConfigureAwait(false);
                patterns.AddRange(PathRulesReader.Read(content, exclusion.Text));
            }
            else
            {
                patterns.Add(PathPattern.Parse(SurrogateEscape.Encode(exclusion.Text), exclusion.Kind == ExclusionKind.PatternIgnoringCase));
            }
        }

        return patterns.Count == 0 ? PathRules.None : new PathRules(patterns);
    }
}
