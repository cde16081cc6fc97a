using Holdfast.Files;
using Holdfast.Vault.Points;
using Holdfast.Vault.Restoring;

namespace Holdfast.Vault;

/// <summary>Brings a restore point back.</summary>
public static class RestoreRun
{
    /// <summary>Makes the target equal to the point, as far as the request says.</summary>
    /// <param name="vault">Where the point is.</param>
    /// <param name="point">Which.</param>
    /// <param name="request">Where to, and how.</param>
    /// <param name="cancellationToken">
    /// Cancelling leaves a target that is partly restored; the same restore run again compares what is there and goes on.
    /// </param>
    /// <returns>What was done. When it returns, what was restored is durable.</returns>
    /// <exception cref="Log.HoldfastException">The target is full, or the vault cannot be reached.</exception>
    public static async Task<RestoreSummary> RunAsync(
        OpenVault vault, RestorePoint point, RestoreRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(point);
        ArgumentNullException.ThrowIfNull(request);
        vault.Require(VaultUse.ReadData);
        long started = vault.Host.Clock.GetTimestamp();
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var caller = new Caller { Uid = 0, Gid = 0, ProcessId = Environment.ProcessId, WantsMutations = false, Cancellation = stop.Token };
        Result<NodeAttributes> root = await request.Target.GetAttributesAsync(caller, request.Target.Root).ConfigureAwait(false);
        if (!root.Ok) throw new Log.HoldfastException(Log.ErrorKind.Failed, $"the target cannot be read: {root.Error.Describe()}");
        var context = new RestoreContext(vault, request, caller) { RootDevice = root.Value.Device };
        if (request.Selection.Root == Files.Selection.PathChoice.Take)
        {
            request.Progress.Expect(point.Counts.Files, point.Counts.Bytes);
            Removals removals = await Removals.ReadAsync(vault, null, cancellationToken).ConfigureAwait(false);
            await ReferenceSet.ExpectAsync(vault, point, removals, cancellationToken).ConfigureAwait(false);
        }

        var writer = new EntryWriter(request.Target, caller, request.KeepOwners, request.Owners, request.DryRun);
        var folders = new FolderFinisher(context, writer);
        var files = new FileFinisher(context, writer, folders);
        using var pipeline = new RestorePipeline(context, writer, files, folders);
        try
        {
            await new RestorePlanner(context, writer, pipeline, folders, point.Roots.Count == 1).RunAsync(point).ConfigureAwait(false);
        }
        catch
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await pipeline.WhenStoppedAsync().ConfigureAwait(false);
            await files.DiscardUnfinishedAsync().ConfigureAwait(false);
            throw;
        }

        if (!request.DryRun)
        {
            Result<bool> durable = await request.Target.CommitAllAsync(caller).ConfigureAwait(false);
            if (!durable.Ok) throw new Log.HoldfastException(Log.ErrorKind.Failed, $"the target could not be made durable: {durable.Error.Describe()}", "look at the kernel log (dmesg)");
        }

        return context.Summary(vault.Host.Clock.GetElapsedTime(started));
    }
}
