using Holdfast.Cli.Values;
using Holdfast.Files;
using Holdfast.Files.Selection;
using Holdfast.Log;
using Holdfast.Vault;

namespace Holdfast.Cli.Commands.Restore;

/// <summary>Does what <c>restore</c> is asked for.</summary>
internal sealed class RestoreVerb(RestoreOptions options, CommandContext context)
{
    private readonly WorkProgress progress = new();

    /// <summary>Restores and returns the exit code.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        // All that can be wrong with the command line comes before the password, and before anything is made.
        PathRules includes = Rules(options.Includes);
        PathRules excludes = Rules(options.Excludes);
        using OpenVault vault = await context.OpenVaultAsync(VaultUse.ReadData, cancellationToken).ConfigureAwait(false);
        RestorePoint point = await PointFinder.FindAsync(vault, options.Point, cancellationToken).ConfigureAwait(false);
        var places = new List<ReadOnlyMemory<byte>>();
        foreach (string path in options.Paths) places.Add(await PlaceAsync(vault, point, path, cancellationToken).ConfigureAwait(false));
        await KeepOffTheVaultAsync(UserPath.ToAbsolute(options.Target)).ConfigureAwait(false);
        using RestoreTarget target = RestoreTarget.Open(options.Target, options.DryRun);
        RestoreSummary summary;
        using (context.Output.ShowProgress(progress))
        {
            summary = await RestoreRun.RunAsync(
                vault, point, CreateRequest(target, new PathSelection(includes, excludes, places)), cancellationToken).ConfigureAwait(false);
        }

        int code = context.EndWith(vault, options.Point);
        RestoreReport.Write(context.Output, point, summary, options);
        return ExitCodes.Combine(code, CodeOf(summary));
    }

    private static int CodeOf(RestoreSummary summary)
    {
        if (summary.Damaged > 0) return ExitCodes.Of(ErrorKind.Damage);
        if (summary.Unverified > 0) return ExitCodes.Of(ErrorKind.Unverified);
        return summary.Errors > 0 ? ExitCodes.Of(ErrorKind.Incomplete) : ExitCodes.Done;
    }

    private static PathRules Rules(IReadOnlyList<string> patterns) => patterns.Count == 0
        ? PathRules.None
        : new PathRules(patterns.Select(static pattern => PathPattern.Parse(SurrogateEscape.Encode(pattern))));

    // Refuses what the point does not hold: a slip of the finger must not look like a restore that worked.
    private static async Task<ReadOnlyMemory<byte>> PlaceAsync(
        OpenVault vault, RestorePoint point, string path, CancellationToken cancellationToken) =>
        (await PointTree.GetAsync(vault, point, SurrogateEscape.Encode(path), cancellationToken).ConfigureAwait(false)).Path;

    private async Task KeepOffTheVaultAsync(byte[] target)
    {
        VaultPlace? place = await VaultPlace.FindAsync(context.VaultAddress).ConfigureAwait(false);
        if (place is null) return;
        if (await place.HoldsAsync(target).ConfigureAwait(false))
        {
            throw new HoldfastException(ErrorKind.Refused, $"{options.Target}: lies in the vault {place.Address}", "restore to another directory");
        }

        if (options.Delete && await place.LiesInAsync(target).ConfigureAwait(false))
        {
            throw new HoldfastException(
                ErrorKind.Refused, $"--delete: the vault {place.Address} lies in {options.Target} and would be deleted",
                "leave out --delete, or restore to another directory");
        }
    }

    private RestoreRequest CreateRequest(RestoreTarget target, PathSelection selection) => new()
    {
        Target = target.Tree,
        Selection = selection,
        Overwrite = options.Overwrite switch
        {
            OverwritePolicy.Never => OverwriteMode.Never,
            OverwritePolicy.IfChanged => OverwriteMode.IfChanged,
            _ => OverwriteMode.Always,
        },
        Delete = options.Delete,
        DryRun = options.DryRun,
        Verify = options.Verify,
        KeepOwners = Environment.IsPrivilegedProcess,
        Owners = new OwnerNames(),
        Workers = context.Workers,
        OnNotice = context.Tell,
        OnChange = context.Output.Verbose ? context.Tell : null,
        Progress = progress,
    };
}
