using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Vault.Exporting;
using Holdfast.Vault.Restoring;

namespace Holdfast.Vault;

/// <summary>Brings a directory to the state of an exported restore point. Needs no vault.</summary>
public static class ApplyRun
{
    /// <summary>Applies an export.</summary>
    /// <param name="input">What <see cref="ExportRun"/> wrote, from its present position to its end; read twice: seekable.</param>
    /// <param name="secret">The password that it is sealed under.</param>
    /// <param name="target">The directory: in the state of the base, empty for an export without one, or partly or wholly applied.</param>
    /// <param name="request">How.</param>
    /// <param name="cancellationToken">Cancelling leaves each path as before or as after; the same run again goes on from there.</param>
    /// <remarks>
    /// The whole file is opened and all of the target compared with what the export says of its base before anything is
    /// changed. When it returns, what was done is durable.
    /// </remarks>
    /// <exception cref="HoldfastException">
    /// WrongKey: the password. Damage: the file is cut off or altered. Unverified: a path of the target, which is named, is
    /// neither as before nor as after; nothing was changed, unless the message says that it changed meanwhile.
    /// </exception>
    public static async Task<ApplySummary> RunAsync(
        Stream input, VaultSecret secret, IFileTree target, ApplyRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(secret);
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(request);
        if (!input.CanSeek) throw new ArgumentException("the export is read twice: the stream must be seekable", nameof(input));
        var caller = new Caller { Uid = 0, Gid = 0, ProcessId = Environment.ProcessId, Cancellation = cancellationToken };
        Result<NodeAttributes> root = await target.GetAttributesAsync(caller, target.Root).ConfigureAwait(false);
        if (!root.Ok) throw new HoldfastException(ErrorKind.Failed, $"the target cannot be read: {root.Error.Describe()}");
        using FrameReader frames = await FrameReader.OpenAsync(input, secret, request.Name, cancellationToken).ConfigureAwait(false);
        var writer = new EntryWriter(target, caller, request.KeepOwners, request.Owners);
        var verifier = new ApplyVerifier(target, caller, writer, request.Name);
        await using (verifier.ConfigureAwait(false)) await verifier.RunAsync(frames).ConfigureAwait(false);
        request.Progress.Expect(verifier.End!.Steps, verifier.End.Bytes);
        using var applier = new Applier(target, caller, request, verifier, writer, root.Value.Device);
        await applier.RunAsync(frames).ConfigureAwait(false);
        return applier.Summary!;
    }
}
