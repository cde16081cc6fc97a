using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Vault.Exporting;
using Holdfast.Vault.Querying;

namespace Holdfast.Vault;

/// <summary>What an export holds.</summary>
/// <param name="Point">The restore point.</param>
/// <param name="Base">What it is laid over; null for an empty directory.</param>
/// <param name="Added">Paths that it adds.</param>
/// <param name="Modified">Paths that it modifies.</param>
/// <param name="Deleted">Paths that it deletes.</param>
/// <param name="BytesWritten">Length of the file.</param>
public sealed record ExportSummary(SessionId Point, SessionId? Base, long Added, long Modified, long Deleted, long BytesWritten);

/// <summary>Writes a restore point, or what it changed since another, into one file that can be applied without the vault.</summary>
public static class ExportRun
{
    /// <summary>Writes an export: what is applied to a restored base makes it equal to the point.</summary>
    /// <param name="vault">Where the points are.</param>
    /// <param name="point">What is exported.</param>
    /// <param name="since">What it is laid over; null for everything. Both have one root, or both several.</param>
    /// <param name="output">Receives the file from its present position; only written to, flushed at the end, not closed.</param>
    /// <param name="secret">The password that the file is sealed under.</param>
    /// <param name="progress">Receives progress.</param>
    /// <param name="cancellationToken">Cancelling leaves a file that no reader takes for whole.</param>
    /// <remarks>Making the file durable is the caller's matter. Layout: docs/formats/export.md.</remarks>
    /// <exception cref="HoldfastException">Usage: the points restore to different places; or the vault cannot be read.</exception>
    public static async Task<ExportSummary> RunAsync(
        OpenVault vault, RestorePoint point, RestorePoint? since, Stream output, VaultSecret secret, WorkProgress progress,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(point);
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(secret);
        ArgumentNullException.ThrowIfNull(progress);
        vault.Require(VaultUse.ReadData);
        if (since is not null && (since.Roots.Count == 1) != (point.Roots.Count == 1))
        {
            throw new HoldfastException(
                ErrorKind.Usage,
                $"restore point {point.Id.ToShortString()}: cannot be laid over {since.Id.ToShortString()}: one has one root, the other several",
                "they restore to different places: export without --since");
        }

        PointTop top = await PointTop.ReadAsync(vault, point, cancellationToken).ConfigureAwait(false);
        PointTop? baseTop = since is null ? null : await PointTop.ReadAsync(vault, since, cancellationToken).ConfigureAwait(false);
        (byte[] header, Sealing.Aead cipher) = ExportHeader.Create(secret, vault.Host);
        using var frames = new FrameWriter(output, header, cipher);
        using var exporter = new Exporter(vault, frames, progress, cancellationToken);
        await frames.BeginAsync(cancellationToken).ConfigureAwait(false);
        var manifest = new ManifestRecord
        {
            Point = point.Id,
            Base = since?.Id ?? SessionId.None,
            Time = UnixTime.From(point.EffectiveTime),
            Host = point.Host,
            Program = point.Program,
            Roots = point.Roots,
        };
        RestorePoint record = point with { Time = point.EffectiveTime, Tree = Trees.Content.Empty, Changes = Trees.Content.Empty, Origin = PointOrigin.Of(vault, point) };
        var whole = new PointRecord(record, since is null ? null : PointOrigin.Of(vault, since), top.Directory is not null);
        await exporter.RunAsync(manifest, whole, since is null ? [point] : [since, point], baseTop?.ToRestoredNode() ?? TreeNode.TopOf([]), top.ToRestoredNode()).ConfigureAwait(false);
        await frames.EndAsync(cancellationToken).ConfigureAwait(false);
        return new ExportSummary(point.Id, since?.Id, exporter.Added, exporter.Modified, exporter.Deleted, frames.BytesWritten);
    }
}
