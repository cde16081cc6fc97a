using System.CommandLine;
using Holdfast.Cli.Commands.Prune;
using Holdfast.Cli.Values;
using Holdfast.Log;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>prune</c> is asked for.</summary>
/// <param name="Request">How much it does.</param>
/// <param name="DryRun">Whether nothing is changed.</param>
internal sealed record PruneOptions(PruneRequest Request, bool DryRun);

/// <summary><c>holdfast prune</c>: deletes what no restore point needs.</summary>
internal static class PruneCommand
{
    public static VerbCommand Create()
    {
        Option<string?> unused = One("--max-unused", "SHARE|SIZE", "move chunks together until no more than this of what is kept is needed by nobody (default: 5%)");
        Option<string?> time = One("--max-time", "DURATION", "begin nothing more after so long, such as 2h");
        Option<string?> moved = One("--max-moved", "SIZE", "write no more than this when chunks are moved together");
        Option<string?> requests = One("--max-requests", "N", "begin nothing more after so many requests to the store");
        Option<bool> rewrap = Flag("--rewrap", "write packs anew, too, whose keys are sealed in an old key epoch (after \"holdfast key rotate\")");
        Option<bool> wait = Flag("--wait", "stay until no backup is at work any more that may need what is to be deleted");
        Option<bool> dryRun = Flag("--dry-run", "change nothing; say what would be deleted, and how much would come free", "-n");

        return new VerbCommand("prune", "delete what no restore point needs any more")
        {
            IsWork = true,
            Details =
            [
                "Deletes points that \"holdfast forget\" dropped, once the vault's undelete window is over (\"holdfast settings\"; by default at once), and then all data that no other point " +
                "needs. Where packs are needed in part, those are written anew of which the least is needed.",
                "Backups may run meanwhile, and other prunes. What a backup at work may still need is left to the next prune; its host is named. A backup of which nothing was heard for 30 minutes " +
                "counts as dead: should it wake up after all, it fails, and can be run again.",
                "With --rewrap, after \"holdfast key rotate\", packs from before are written anew, too, with their keys sealed in the newest key epoch (their content is copied as it is): once the " +
                "old packs are deleted, a removed key can read them no more. It takes a key of the role admin, and as many prunes as the limits make of it.",
                "A prune can be stopped at any time. The next one goes on.",
            ],
            Examples =
            [
                new("holdfast prune --dry-run", "how much would come free"),
                new("holdfast prune --max-time 2h --max-moved 50G", "within a window at night"),
                new("holdfast prune --max-unused 0%", "as small as can be"),
            ],
        }.With(unused, rewrap, time, moved, requests, wait, dryRun)
        .Does(
            (parse, _) => new PruneOptions(
                new PruneRequest
                {
                    MaxUnusedShare = parse.GetValue(unused) is { } share && share.EndsWith('%') ? ParseShare(share, unused.Name) : new PruneRequest().MaxUnusedShare,
                    MaxUnusedBytes = parse.GetValue(unused) is { } size && !size.EndsWith('%') ? ParseUnused(size, unused.Name) : null,
                    MaxTime = parse.GetValue(time) is { } duration ? ParseTime(duration, time.Name) : null,
                    MaxMovedBytes = parse.GetValue(moved) is { } bytes ? SizeText.Parse(bytes, moved.Name) : null,
                    MaxRequests = parse.GetValue(requests) is { } count ? NumberText.Parse(count, requests.Name, 1, int.MaxValue) : null,
                    Rewraps = parse.GetValue(rewrap),
                    Waits = parse.GetValue(wait),
                },
                parse.GetValue(dryRun)),
            RunAsync);
    }

    private static async Task<int> RunAsync(PruneOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using OpenVault vault = await context.OpenVaultAsync(options.DryRun ? VaultUse.SeePoints : VaultUse.Prune, cancellationToken).ConfigureAwait(false);
        if (options.DryRun)
        {
            PruneReport.Write(context.Output, await PruneRun.PlanAsync(vault, options.Request, cancellationToken).ConfigureAwait(false));
        }
        else
        {
            PruneSummary done;
            using (context.Output.ShowProgress(options.Request.Progress)) done = await PruneRun.RunAsync(vault, options.Request, cancellationToken).ConfigureAwait(false);
            PruneReport.Write(context.Output, done);
        }

        return context.EndWith(vault, DamageReach.Result);
    }

    private static TimeSpan ParseTime(string text, string flag)
    {
        TimeSpan time = TimeText.ParseDuration(text, flag);
        return time > TimeSpan.Zero ? time : throw UsageError.Of($"{flag}: in no time nothing can be done", "write how long it may take, such as 2h; or --dry-run");
    }

    // Nothing unused at all is a share too.
    private static double ParseShare(string text, string flag)
    {
        if (text == "0%") return 0;
        try
        {
            return PercentText.Parse(text, flag);
        }
        catch (HoldfastException error) when (error.Kind == ErrorKind.Usage)
        {
            throw UsageError.Of(error.Message, "write 0% to 100%, such as 5%", error);
        }
    }

    // So many bytes nobody means: it is a share that lacks its sign, or a size that lacks its unit.
    private static long ParseUnused(string text, string flag) => text.Length > 0 && text != "0" && !text.AsSpan().ContainsAnyExceptInRange('0', '9')
        ? throw UsageError.Of($"{flag}: '{text}' has no unit", $"write {text}% or {text}M")
        : SizeText.Parse(text, flag);
}
