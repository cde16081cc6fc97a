using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Vault.Backup;
using Holdfast.Vault.Exporting;
using Holdfast.Vault.Points;
using Holdfast.Vault.Querying;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault;

/// <summary>Makes a restore point of an export, in the vault that it came from or in any other.</summary>
/// <remarks>
/// The point has the time, host, roots, tags and counts of the one that was exported, and says which that was, as one that was copied does.
/// Without a base it is a full. The whole file is read and verified before anything is written.
/// </remarks>
public static class ImportRun
{
    /// <summary>Imports an export, unless its point is there.</summary>
    /// <param name="vault">Where to: opened with a key that makes points; one that also reads data where the export is laid over a point.</param>
    /// <param name="input">What <see cref="ExportRun"/> wrote, from its present position to its end; read several times: seekable.</param>
    /// <param name="secret">The password that it is sealed under.</param>
    /// <param name="request">How.</param>
    /// <param name="cancellationToken">Cancelling leaves no point; what was uploaded is used by the next run.</param>
    /// <returns>What was done. When it returns, the point is durable.</returns>
    /// <exception cref="HoldfastException">
    /// WrongKey: the password, or the key of the vault. Damage: the file is cut off or altered. NotThere: the point that it is laid over is not here.
    /// </exception>
    public static async Task<ImportSummary> RunAsync(
        OpenVault vault, Stream input, VaultSecret secret, ImportRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(secret);
        ArgumentNullException.ThrowIfNull(request);
        if (!input.CanSeek) throw new ArgumentException("the export is read several times: the stream must be seekable", nameof(input));
        vault.Require(VaultUse.Backup);
        long started = vault.Host.Clock.GetTimestamp();
        using FrameReader frames = await FrameReader.OpenAsync(input, secret, request.Name, cancellationToken).ConfigureAwait(false);
        ExportSurvey survey = await ExportSurvey.ReadAsync(frames, request.Name, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, cancellationToken).ConfigureAwait(false);
        var summary = new ImportSummary { Origin = survey.Point.Origin, Time = survey.Point.Point.Time, Host = survey.Point.Point.Host };
        if (Find(vault, points, survey.Point.Origin) is { } there) return summary with { Point = there.Id, IsThere = true };
        RestorePoint? basePoint = FindBase(vault, points, survey, request.Name);
        if (basePoint is not null) vault.Require(VaultUse.ReadData);
        request.Progress.Expect(survey.End.Steps, survey.End.Bytes);
        WriteSession session = await WriteSession.BeginAsync(vault, request.Host, request.CompressionLevel, workers: 1, cancellationToken).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            try
            {
                await ImportAsync(session, survey, basePoint, frames, request, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                await session.AbandonAsync().ConfigureAwait(false);
                throw;
            }

            await session.EndAsync(CancellationToken.None).ConfigureAwait(false);
            return summary with
            {
                Point = session.Id,
                Base = basePoint?.Id,
                BytesAdded = session.BytesAdded,
                BytesStored = session.BytesStored,
                Duration = vault.Host.Clock.GetElapsedTime(started),
            };
        }
    }

    private static RestorePoint? Find(OpenVault vault, IReadOnlyList<RestorePoint> points, PointOrigin origin) =>
        points.FirstOrDefault(point => PointOrigin.Of(vault, point) == origin);

    private static RestorePoint? FindBase(OpenVault vault, IReadOnlyList<RestorePoint> points, ExportSurvey survey, string name)
    {
        if (survey.Manifest.Base == SessionId.None) return null;
        PointOrigin origin = survey.Point.BaseOrigin ?? throw survey.Malformed("does not say where the point was made that it is laid over");
        return Find(vault, points, origin) ?? throw new HoldfastException(
            ErrorKind.NotThere, $"{name}: is laid over restore point {survey.Manifest.Base.ToShortString()}, which is not in {vault.Address}",
            "import an export of that one first, or export without --since");
    }

    private static async Task ImportAsync(
        WriteSession session, ExportSurvey survey, RestorePoint? basePoint, FrameReader frames, ImportRequest request, CancellationToken cancellationToken)
    {
        OpenVault vault = session.Vault;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var caller = new Caller { Uid = 0, Gid = 0, ProcessId = Environment.ProcessId, Cancellation = stop.Token };
        var asBackup = new BackupRequest { Roots = [], Host = request.Host, Progress = request.Progress, CompressionLevel = request.CompressionLevel };
        var context = new BackupContext(new SourceContext(asBackup, caller, vault.Host.Clock), vault)
        {
            Compares = basePoint is not null,
            IsSingleRoot = survey.Point.Point.Roots.Count == 1,
            BaseTrees = basePoint is null ? vault.Trees : vault.Trees.Within(basePoint),
        };
        ReferenceSet? baseReferences = basePoint is null ? null : await ReferenceSet.ExpectAsync(vault, basePoint, session.Removals, cancellationToken).ConfigureAwait(false);
        session.Compare(baseReferences);
        var order = new WalkPages();
        var assembler = new TreeAssembler(context, session);
        Task<(Content Tree, Content Changes)> assembling = Task.Run(() => AssembleAsync(assembler, order, stop), CancellationToken.None);
        try
        {
            await WalkAsync(context, session, survey, basePoint, frames, request, order).ConfigureAwait(false);
        }
        catch
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await ((Task)assembling).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // Where it was the assembler that failed, it says why.
            if (assembling.Exception?.InnerException is { } reason and not OperationCanceledException) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(reason);
            throw;
        }

        (Content tree, Content changes) = await assembling.ConfigureAwait(false);
        await session.SealAsync(cancellationToken).ConfigureAwait(false);
        (ReferenceSet references, _) = await session.SettleAsync(cancellationToken).ConfigureAwait(false);
        await session.PutObjectAsync(ObjectKind.References, ReferenceSet.Name(session.Id), references.Encode(), cancellationToken).ConfigureAwait(false);
        await session.CommitAsync(PointCodec.Encode(PointOf(session, survey, basePoint, tree, changes)), cancellationToken).ConfigureAwait(false);
    }

    private static async Task<(Content Tree, Content Changes)> AssembleAsync(TreeAssembler assembler, WalkPages order, CancellationTokenSource stop)
    {
        try
        {
            return await assembler.RunAsync(order).ConfigureAwait(false);
        }
        catch
        {
            // Nobody takes any more what the other thread sends.
            await stop.CancelAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async Task WalkAsync(
        BackupContext context, WriteSession session, ExportSurvey survey, RestorePoint? basePoint, FrameReader frames, ImportRequest request,
        WalkPages order)
    {
        CancellationToken cancellationToken = context.Caller.Cancellation;
        try
        {
            PointTop? baseTop = basePoint is null ? null : await PointTop.ReadAsync(context.Vault, basePoint, cancellationToken).ConfigureAwait(false);
            using var files = new FileImporter(context, session, survey);
            using var importer = new Importer(context, survey, files, order, baseTop);
            if (survey.WrittenLater.Count > 0)
            {
                var first = new RecordCursor(frames, request.Name, cancellationToken);
                await using (first.ConfigureAwait(false)) await importer.WriteLaterAsync(first).ConfigureAwait(false);
            }

            var records = new RecordCursor(frames, request.Name, cancellationToken);
            await using (records.ConfigureAwait(false)) await importer.RunAsync(records).ConfigureAwait(false);
            files.Flush();
        }
        finally
        {
            order.Complete();
        }
    }

    private static RestorePoint PointOf(
        WriteSession session, ExportSurvey survey, RestorePoint? basePoint, Content tree, Content changes)
    {
        RestorePoint point = survey.Point.Point;
        bool isSameBase = basePoint is not null && point.Base is { } made && survey.Manifest.Base == made;
        return point with
        {
            Id = session.Id,
            Kind = basePoint is null ? PointKind.Full : isSameBase && point.Kind != PointKind.Full ? point.Kind : PointKind.Incremental,
            Base = basePoint?.Id,
            References = session.Id,
            Tree = tree,
            Changes = changes,
        };
    }
}
