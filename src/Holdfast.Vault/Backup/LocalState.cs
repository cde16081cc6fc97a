using System.Security.Cryptography;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Backup;

/// <summary>
/// The trees of what a source was backed up as last, on this machine: for a key that cannot read those in the vault. Layout and
/// rules: docs/formats/state.md. None of its failures is a backup's.
/// </summary>
internal sealed class LocalState : IAsyncDisposable
{
    /// <summary>So many points that nothing is compared with any more are pruned together.</summary>
    private const int MaxOldPoints = 8;

    private const int CompressionLevel = 1;

    // Each worker fills one while the backup fills its own: a disk of this machine takes small ones as well.
    private const int PackBytes = 2 << 20;

    private readonly OpenVault vault;
    private readonly OpenVault own;
    private readonly BackupRequest request;
    private readonly Action<string> tell;
    private readonly ChunkFetcher chunks;
    private readonly Dictionary<SessionId, SessionId> kept = [];
    private WriteSession? session;
    private volatile bool hasFailed;

    private LocalState(OpenVault vault, OpenVault own, BackupRequest request, Action<string> tell)
    {
        this.vault = vault;
        this.own = own;
        this.request = request;
        this.tell = tell;
        chunks = new ChunkFetcher(own.Index, ObjectKind.TreePack, vault.TreeProof, own.CacheBytes / 2);
        Trees = new TreeReader(chunks);
    }

    /// <summary>Reads what lies here of the vault's trees, each chunk verified by its id.</summary>
    public TreeReader Trees { get; }

    /// <summary>Takes what a backup writes; null before <see cref="BeginAsync"/> and once something failed.</summary>
    public WriteSession? Session => hasFailed ? null : session;

    /// <summary>Opens the state of a source, or a new one; null where none can be kept, which is told.</summary>
    /// <param name="vault">The vault, opened with a key that cannot read trees.</param>
    /// <param name="request">The backup.</param>
    /// <param name="roots">Paths of the roots.</param>
    /// <param name="tell">Told what is the matter.</param>
    /// <param name="cancellationToken">Stops waits for the disk.</param>
    public static async Task<LocalState?> TryOpenAsync(
        OpenVault vault, BackupRequest request, IReadOnlyList<ReadOnlyMemory<byte>> roots, Action<string> tell, CancellationToken cancellationToken)
    {
        if (request.OpenState is not { } open) return null;
        LocalState? state = null;
        try
        {
            IObjectStore store = open($"{vault.Id}/{SourceName(vault, request.Host, roots)}");
            var own = OpenVault.Open(vault.Host, store, vault.VaultId, "", vault.Sealer.Ring.OfLocalState(vault.VaultId), vault.CacheBytes / 4);
            state = new LocalState(vault, own, request, tell);
            foreach (RestorePoint point in await RestorePoints.ListAsync(own, cancellationToken).ConfigureAwait(false))
            {
                if (point.Origin is { } origin && origin.Vault == vault.Id) state.kept[origin.Point] = point.Id;
            }

            return state;
        }
        catch (HoldfastException error)
        {
            if (state is not null) await state.DisposeAsync().ConfigureAwait(false);
            tell($"there is no local state of this source: {error.Message}");
            return null;
        }
    }

    /// <summary>Whether the trees of a point of the vault lie here, as far as nothing was lost.</summary>
    public bool Has(SessionId point) => kept.ContainsKey(point);

    /// <summary>Begins to take what a backup writes.</summary>
    public Task BeginAsync(CancellationToken cancellationToken) => TryAsync(async () =>
        session = await WriteSession.BeginAsync(
            own, request.Host, CompressionLevel, Math.Max(1, request.Workers), PackBytes, cancellationToken).ConfigureAwait(false));

    /// <summary>Makes durable what was taken, as the trees of a point that is about to be put.</summary>
    public Task KeepAsync(RestorePoint point, CancellationToken cancellationToken) => TryAsync(async () =>
    {
        await session!.SealAsync(cancellationToken).ConfigureAwait(false);
        (ReferenceSet references, _) = await session.SettleAsync(cancellationToken).ConfigureAwait(false);
        await session.PutObjectAsync(ObjectKind.References, ReferenceSet.Name(session.Id), references.Encode(), cancellationToken).ConfigureAwait(false);
        RestorePoint copy = point with
        {
            Id = session.Id,
            Kind = PointKind.Full,
            Base = null,
            References = session.Id,
            Changes = Content.Empty,
            Origin = new PointOrigin(vault.Id, point.Id),
        };
        await session.CommitAsync(PointCodec.Encode(copy), cancellationToken).ConfigureAwait(false);
        await session.EndAsync(cancellationToken).ConfigureAwait(false);
        kept[point.Id] = copy.Id;
    });

    /// <summary>Lets go of old points, once they are many.</summary>
    /// <param name="compared">Points of the vault that backups may be compared with.</param>
    /// <param name="cancellationToken">Stops the work; what is left the next one does.</param>
    public Task TidyAsync(IReadOnlyCollection<SessionId> compared, CancellationToken cancellationToken) => TryAsync(async () =>
    {
        SessionId[] old = [.. kept.Where(point => !compared.Contains(point.Key)).Select(static point => point.Value)];
        if (old.Length < MaxOldPoints) return;
        try
        {
            var forget = new ForgetRequest { Points = old, Zone = TimeZoneInfo.Utc, AllowsEmptyGroups = true };
            await ForgetRun.RunAsync(own, forget, cancellationToken).ConfigureAwait(false);
            await PruneRun.RunAsync(own, new PruneRequest { UndeleteWindow = TimeSpan.Zero, Host = request.Host }, cancellationToken).ConfigureAwait(false);
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            // Nothing will ever come free in it again.
            await ClearAsync(cancellationToken).ConfigureAwait(false);
            throw;
        }
    });

    /// <summary>Something of it could not be done: the backup goes on without.</summary>
    public void Fail(HoldfastException error)
    {
        if (hasFailed) return;
        hasFailed = true;
        tell($"the local state cannot be written, so the next backup of this source reads every file: {error.Message}");
    }

    /// <summary>Ends what was begun and not kept.</summary>
    public async ValueTask DisposeAsync()
    {
        if (session is not null)
        {
            await session.AbandonAsync().ConfigureAwait(false);
            await session.DisposeAsync().ConfigureAwait(false);
        }

        chunks.Dispose();
        own.Dispose();
    }

    private async Task TryAsync(Func<Task> action)
    {
        if (hasFailed) return;
        try
        {
            await action().ConfigureAwait(false);
        }
        catch (HoldfastException error)
        {
            Fail(error);
        }
    }

    private async Task ClearAsync(CancellationToken cancellationToken)
    {
        var names = new List<string>();
        await foreach (ObjectEntry entry in own.Store.ListAsync("", cancellationToken).ConfigureAwait(false)) names.Add(entry.Name);
        foreach (string name in names) await own.Store.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>One directory for each source of each key, so that none waits for another.</summary>
    private static string SourceName(OpenVault vault, string host, IReadOnlyList<ReadOnlyMemory<byte>> roots)
    {
        const int nameBytes = 8;
        var writer = new ByteWriter();
        writer.Bytes("holdfast local state"u8);
        writer.U64(vault.Sealer.WriterId);
        writer.Text(host);
        foreach (ReadOnlyMemory<byte> root in roots) writer.ByteString(root.Span);
        return Convert.ToHexStringLower(SHA256.HashData(writer.Written).AsSpan(0, nameBytes));
    }
}
