namespace Holdfast.Vault.Backup;

/// <summary>What a backup compares with.</summary>
/// <param name="Point">The point; null for none.</param>
/// <param name="Full">The newest full point of the source, which a differential would be compared with; null where there is none, or nobody asked.</param>
internal sealed record BackupBase(RestorePoint? Point, SessionId? Full)
{
    private static readonly BackupBase None = new(null, null);

    /// <summary>Chooses among the points of a source.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="local">What lies here of its trees, for a key that cannot read them there.</param>
    /// <param name="source">What is backed up.</param>
    /// <param name="roots">Paths of its roots.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    public static async Task<BackupBase> FindAsync(
        OpenVault vault, LocalState? local, SourceContext source, ReadOnlyMemory<byte>[] roots, CancellationToken cancellationToken)
    {
        BackupRequest request = source.Request;
        bool readsTrees = Keys.RoleRules.Allows(vault.Role, VaultUse.ReadTrees);
        // Who can read trees nowhere compares with none: everything is read, and what the vault has is not stored again.
        if (request.Kind == PointKind.Full || (!readsTrees && local is null)) return None;
        var wanted = new PointSource(request.Host, roots, request.Database);
        RestorePoint? newest = null, newestFull = null;
        foreach (RestorePoint point in await RestorePoints.ListAsync(vault, cancellationToken).ConfigureAwait(false))
        {
            // What it says of a file is taken over where the file looks unchanged: so it must be somebody's whom this key trusts. On this machine are its own alone.
            bool isUsable = readsTrees ? vault.Sealer.Trusts(point.WriterId) : point.WriterId == vault.Sealer.WriterId;
            if (!isUsable || !point.IsOfSource(wanted)) continue;
            newest = point;
            if (point.Kind == PointKind.Full) newestFull = point;
        }

        RestorePoint? chosen = request.Kind == PointKind.Incremental ? newest : newestFull;
        if (chosen is not null && local?.Has(chosen.Id) == false)
        {
            source.Note([], $"there is no local state of restore point {chosen.Id.ToShortString()}, so every file is read");
            chosen = null;
        }

        return new BackupBase(chosen, newestFull?.Id);
    }

    /// <summary>The points that backups after a new one may be compared with.</summary>
    public IReadOnlyCollection<SessionId> ComparedNext(RestorePoint made) =>
        made.Kind == PointKind.Full || Full is not { } full ? [made.Id] : [made.Id, full];
}
