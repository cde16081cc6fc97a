using System.Threading.Channels;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Vault.Backup;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault;

/// <summary>Makes a restore point.</summary>
/// <remarks>
/// A scanner lists the source, a matcher compares it with the base, workers read what changed, an assembler puts the tree
/// together; what lies between them is bounded, so memory does not grow with the source.
/// </remarks>
public static class BackupRun
{
    private const int BatchesAhead = 32;

    /// <summary>Backs up a source.</summary>
    /// <param name="vault">Where to.</param>
    /// <param name="request">What, and how.</param>
    /// <param name="cancellationToken">
    /// Heeded until the point is written: cancelling leaves no point, and what was uploaded is used by the next run.
    /// </param>
    /// <returns>What was done. When it returns, the point is durable.</returns>
    public static Task<BackupSummary> RunAsync(OpenVault vault, BackupRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        return RunAsync(vault.Host.Clock, _ => Task.FromResult(vault), request, cancellationToken);
    }

    /// <summary>Backs up a source, and lists it while the vault is being opened.</summary>
    /// <param name="clock">The clock of the vault's host.</param>
    /// <param name="open">Opens the vault; disposing it is the caller's.</param>
    /// <param name="request">What, and how.</param>
    /// <param name="cancellationToken">As above.</param>
    /// <returns>As above.</returns>
    public static async Task<BackupSummary> RunAsync(
        TimeProvider clock, Func<CancellationToken, Task<OpenVault>> open, BackupRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentNullException.ThrowIfNull(open);
        ArgumentNullException.ThrowIfNull(request);
        ThrowIfUnsorted(request.Roots);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Caller caller = new() { Uid = 0, Gid = 0, ProcessId = Environment.ProcessId, Cancellation = stop.Token };
        var source = new SourceContext(request, caller, clock);
        using var scanner = new SourceScanner(source);
        Task scanning = Task.Run(scanner.RunAsync, stop.Token);
        try
        {
            OpenVault vault = await open(cancellationToken).ConfigureAwait(false);
            return await RunAsync(vault, source, scanner, stop, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            // Its failure, if any, has been told: whoever took from it met it.
            await scanning.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task<BackupSummary> RunAsync(
        OpenVault vault, SourceContext source, SourceScanner scanner, CancellationTokenSource stop, CancellationToken cancellationToken)
    {
        vault.Require(VaultUse.Backup);
        // Who cannot read trees compares with what lies on this machine of them.
        LocalState? local = RoleRules.Allows(vault.Role, VaultUse.ReadTrees)
            ? null
            : await LocalState.TryOpenAsync(vault, source.Request, RootPaths(source.Request), text => source.Note([], text), cancellationToken).ConfigureAwait(false);
        try
        {
            return await RunAsync(vault, local, source, scanner, stop, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (local is not null) await local.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task<BackupSummary> RunAsync(
        OpenVault vault, LocalState? local, SourceContext source, SourceScanner scanner, CancellationTokenSource stop, CancellationToken cancellationToken)
    {
        BackupRequest request = source.Request;
        if (request.DryRun) return await RunAsync(vault, local, source, scanner, null, stop, cancellationToken).ConfigureAwait(false);
        // Before anything is looked up: what is found from then on stays.
        WriteSession session = await WriteSession.BeginAsync(
            vault, request.Host, request.CompressionLevel, Math.Max(1, request.Workers), cancellationToken).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            try
            {
                if (local is not null) await local.BeginAsync(cancellationToken).ConfigureAwait(false);
                return await RunAsync(vault, local, source, scanner, session, stop, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                await session.AbandonAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    private static async Task<BackupSummary> RunAsync(
        OpenVault vault, LocalState? local, SourceContext source, SourceScanner scanner, WriteSession? session, CancellationTokenSource stop, CancellationToken cancellationToken)
    {
        BackupRequest request = source.Request;
        long started = vault.Host.Clock.GetTimestamp();
        BackupBase found = await BackupBase.FindAsync(vault, local, source, RootPaths(request), cancellationToken).ConfigureAwait(false);
        RestorePoint? basePoint = found.Point;
        PointKind kind = basePoint is null ? PointKind.Full : request.Kind;
        if (basePoint is not null) request.Progress.Expect(basePoint.Counts.Files, basePoint.Counts.Bytes);
        var context = new BackupContext(source, vault)
        {
            Compares = basePoint is not null,
            BaseTrees = basePoint is null ? vault.Trees : (local?.Trees ?? vault.Trees).Within(basePoint),
            Local = local,
        };
        ReferenceSet? baseReferences = basePoint is null ? null : await ReferenceSet.ExpectAsync(vault, basePoint, session?.Removals, cancellationToken).ConfigureAwait(false);
        session?.Compare(baseReferences);
        (TreeAssembler assembler, Content tree, Content changes) = await RunStagesAsync(context, session, scanner, basePoint, stop).ConfigureAwait(false);
        if (session is null) return new BackupSummary(null, kind, basePoint?.Id, CountsOf(assembler, context, null, vault, started));
        await session.SealAsync(cancellationToken).ConfigureAwait(false);
        ThrowIfNothingWasRead(assembler, context);
        bool isSameTree = basePoint is not null && changes == Content.Empty && tree.SameAs(basePoint.Tree);
        var point = new RestorePoint
        {
            Id = session.Id,
            Time = request.Time ?? vault.Host.Clock.GetUtcNow(),
            Received = default,
            EffectiveTime = default,
            Kind = kind,
            Base = basePoint?.Id,
            Host = request.Host,
            Roots = RootPaths(request),
            Tags = request.Tags,
            Program = request.Program,
            Database = request.Database,
            References = await WriteReferencesAsync(session, basePoint, baseReferences, isSameTree, cancellationToken).ConfigureAwait(false),
            Tree = tree,
            Changes = changes,
            Counts = CountsOf(assembler, context, session, vault, started),
        };
        if (request.BeforeCommit is { } before) await before().ConfigureAwait(false);
        // First: cut off between the two, the state leads to a point that never came, which says nothing.
        if (local is not null) await local.KeepAsync(point, cancellationToken).ConfigureAwait(false);
        // The commit: from here on the backup exists.
        await session.CommitAsync(PointCodec.Encode(point), cancellationToken).ConfigureAwait(false);
        await EndAsync(session, context).ConfigureAwait(false);
        if (local is not null) await local.TidyAsync(found.ComparedNext(point), CancellationToken.None).ConfigureAwait(false);
        return new BackupSummary(point.Id, kind, point.Base, CountsOf(point.Counts, session, vault, started));
    }

    private static async Task EndAsync(WriteSession session, BackupContext context)
    {
        try
        {
            await session.EndAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (HoldfastException error)
        {
            // The point is durable; a lease too many costs later runs two listings.
            context.Note([], $"the session's lease stays: {error.Message}");
        }
    }

    private static void ThrowIfUnsorted(IReadOnlyList<BackupRoot> roots)
    {
        for (int i = 0; i < roots.Count; i++)
        {
            bool isValid = DirectoryCodec.IsValidName(roots[i].Path.Span, isPointRoot: true)
                && (i == 0 || roots[i - 1].Path.Span.SequenceCompareTo(roots[i].Path.Span) < 0);
            if (!isValid) throw new ArgumentException($"root {i}: not an absolute path, or not behind the one before", nameof(roots));
        }
    }

    /// <summary>A source that is not there must not become the newest point, by which everything would count as deleted.</summary>
    private static void ThrowIfNothingWasRead(TreeAssembler assembler, BackupContext context)
    {
        BackupCounts counts = assembler.Counts;
        if (counts.Files + counts.Directories > 0 || context.Progress.Errors == 0) return;
        throw new HoldfastException(ErrorKind.Failed, "nothing of the source could be read, so no restore point was made", "check the paths and their rights");
    }

    private static ReadOnlyMemory<byte>[] RootPaths(BackupRequest request) =>
        request.Stream is null ? [.. request.Roots.Select(root => root.Path)] : [request.StreamName];

    private static async Task<(TreeAssembler Assembler, Content Tree, Content Changes)> RunStagesAsync(
        BackupContext context, WriteSession? session, SourceScanner scanner, RestorePoint? basePoint, CancellationTokenSource stop)
    {
        IReadOnlyList<TreeEntry> baseRoots = await ReadBaseRootsAsync(context, basePoint).ConfigureAwait(false);
        var order = new WalkPages();
        Channel<FileBatch> work = Channel.CreateBounded<FileBatch>(new BoundedChannelOptions(BatchesAhead) { SingleWriter = true });
        var assembler = new TreeAssembler(context, session);
        Task<(Content Tree, Content Changes)> assembling = Task.Run(() => assembler.RunAsync(order), stop.Token);
        var tasks = new List<Task> { assembling };
        if (context.Request.Stream is null)
        {
            var matcher = new SourceMatcher(context, session, scanner, order, work.Writer);
            tasks.Add(Task.Run(() => MatchAsync(matcher, baseRoots, order, work.Writer), stop.Token));
            for (int i = 0; i < Math.Max(1, context.Request.Workers); i++)
            {
                tasks.Add(Task.Run(() => session is null ? FileStage.RunDryAsync(context, work.Reader) : WorkAsync(context, session, work.Reader), stop.Token));
            }
        }
        else
        {
            tasks.Add(Task.Run(() => ReadStreamAsync(context, session, baseRoots, order), stop.Token));
        }

        await JoinAsync(tasks, stop).ConfigureAwait(false);
        (Content tree, Content changes) = await assembling.ConfigureAwait(false);
        return (assembler, tree, changes);
    }

    /// <summary>Waits for all; the first failure stops the others, and is the one that is thrown.</summary>
    private static async Task JoinAsync(List<Task> tasks, CancellationTokenSource stop)
    {
        Exception? first = null;
        var running = new List<Task>(tasks);
        while (running.Count > 0)
        {
            Task done = await Task.WhenAny(running).ConfigureAwait(false);
            running.Remove(done);
            if (done.IsCompletedSuccessfully || first is not null) continue;
            first = done.Exception?.InnerException ?? new OperationCanceledException(stop.Token);
            await stop.CancelAsync().ConfigureAwait(false);
        }

        if (first is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(first);
    }

    private static async Task MatchAsync(
        SourceMatcher matcher, IReadOnlyList<TreeEntry> baseRoots, WalkPages order, ChannelWriter<FileBatch> work)
    {
        try
        {
            await matcher.RunAsync(baseRoots).ConfigureAwait(false);
        }
        finally
        {
            work.TryComplete();
            order.Complete();
        }
    }

    private static async Task WorkAsync(BackupContext context, WriteSession session, ChannelReader<FileBatch> work)
    {
        using var stage = new FileStage(context, session);
        await stage.RunAsync(work).ConfigureAwait(false);
    }

    private static async Task ReadStreamAsync(
        BackupContext context, WriteSession? session, IReadOnlyList<TreeEntry> baseRoots, WalkPages order)
    {
        BackupRequest request = context.Request;
        UnixTime now = UnixTime.From(request.Time ?? context.Vault.Host.Clock.GetUtcNow());
        var attributes = new NodeAttributes { Kind = NodeKind.Regular, Mode = 0x180, LinkCount = 1, ModifyTime = now };
        TreeEntry entry = context.NewEntry(request.StreamName.ToArray(), attributes);
        TreeEntry? known = baseRoots.FirstOrDefault(candidate => candidate.Name.AsSpan().SequenceEqual(entry.Name));
        try
        {
            if (session is null)
            {
                entry.Content = Content.Empty;
            }
            else
            {
                using var stage = new FileStage(context, session);
                await stage.ReadStreamAsync(request.Stream!, entry, known?.Content).ConfigureAwait(false);
            }
        }
        catch (IOException error)
        {
            throw new HoldfastException(
                ErrorKind.Failed, $"{BytePath.Display(request.StreamName.Span)}: cannot read the stream: {error.Message}", null, error);
        }

        attributes.Size = entry.Content!.TotalBytes;
        entry.Attributes = attributes;
        context.Progress.AddDone(1, 0);
        order.TryAdd(new WalkItem(WalkStep.Ready, entry, known));
        await order.FlushAsync(context.Caller.Cancellation).ConfigureAwait(false);
        order.Complete();
    }

    private static async Task<IReadOnlyList<TreeEntry>> ReadBaseRootsAsync(BackupContext context, RestorePoint? basePoint)
    {
        if (basePoint is null) return [];
        try
        {
            return await context.BaseTrees.ReadRootsAsync(basePoint, context.Caller.Cancellation).ConfigureAwait(false);
        }
        catch (DamageException damage)
        {
            context.Note([], $"{context.BaseName} is damaged, reading everything: {damage.Message}");
            return [];
        }
    }

    /// <summary>Writes what the point needs; the base's own list where the two are the same tree.</summary>
    private static async Task<SessionId> WriteReferencesAsync(
        WriteSession session, RestorePoint? basePoint, ReferenceSet? baseReferences, bool isSameTree, CancellationToken cancellationToken)
    {
        (ReferenceSet references, Removals removals) = await session.SettleAsync(cancellationToken).ConfigureAwait(false);
        // An earlier list will not do where chunks were found, or put, elsewhere because theirs are lost; nor one that is to go.
        if (isSameTree && baseReferences is not null && removals.Map(baseReferences).ContainsAll(references) && !removals.References.ContainsKey(basePoint!.References)
            && await session.HasReferencesAsync(basePoint.References, cancellationToken).ConfigureAwait(false))
        {
            return basePoint.References;
        }

        string name = ReferenceSet.Name(session.Id);
        await session.PutObjectAsync(ObjectKind.References, name, references.Encode(), cancellationToken).ConfigureAwait(false);
        return session.Id;
    }

    private static BackupCounts CountsOf(TreeAssembler assembler, BackupContext context, WriteSession? session, OpenVault vault, long started) =>
        CountsOf(assembler.Counts with { BytesRead = context.BytesRead, Errors = context.Progress.Errors }, session, vault, started);

    private static BackupCounts CountsOf(BackupCounts counts, WriteSession? session, OpenVault vault, long started) => counts with
    {
        BytesAdded = session?.BytesAdded ?? 0,
        BytesStored = session?.BytesStored ?? 0,
        Duration = vault.Host.Clock.GetElapsedTime(started),
    };
}
