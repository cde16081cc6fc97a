using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault;

/// <summary>Lists and finds the restore points of a vault.</summary>
public static class RestorePoints
{
    /// <summary>
    /// All points that can be read, oldest first, without those that are forgotten. What cannot be read is told of in
    /// <see cref="OpenVault.UnreadablePoints"/>.
    /// </summary>
    public static async Task<IReadOnlyList<RestorePoint>> ListAsync(OpenVault vault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        PointMarks marks = await PointMarks.ReadAsync(vault, cancellationToken).ConfigureAwait(false);
        return await ListAsync(vault, marks, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The points that are forgotten but still there, oldest first: those that can be brought back.</summary>
    public static async Task<IReadOnlyList<ForgottenPoint>> ListForgottenAsync(OpenVault vault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        PointMarks marks = await PointMarks.ReadAsync(vault, cancellationToken).ConfigureAwait(false);
        List<RestorePoint> points = await ReadAllAsync(
            vault, id => marks.ForgottenSince(id) is not null && !marks.IsCondemned(id), cancellationToken).ConfigureAwait(false);
        return [.. points.Select(point => new ForgottenPoint(point, marks.ForgottenSince(point.Id)!.Value))];
    }

    /// <summary>The points that given marks leave.</summary>
    internal static async Task<IReadOnlyList<RestorePoint>> ListAsync(OpenVault vault, PointMarks marks, CancellationToken cancellationToken)
    {
        List<RestorePoint> points = await ReadAllAsync(vault, id => marks.ForgottenSince(id) is null, cancellationToken).ConfigureAwait(false);
        DateTimeOffset now = vault.Host.Clock.GetUtcNow();
        for (int i = 0; i < points.Count; i++)
        {
            if (marks.HoldOf(points[i].Id) is { } hold && hold.IsActiveAt(now)) points[i] = points[i] with { Hold = hold };
        }

        return points;
    }

    internal static async Task<List<RestorePoint>> ReadAllAsync(OpenVault vault, Func<SessionId, bool> isWanted, CancellationToken cancellationToken)
    {
        var points = new List<RestorePoint>();
        await foreach (ObjectEntry entry in vault.Store.ListAsync(PointCodec.Prefix, cancellationToken).ConfigureAwait(false))
        {
            if (!SessionId.TryParse(entry.Name.AsSpan(PointCodec.Prefix.Length), out SessionId id) || !isWanted(id)) continue;
            try
            {
                if (await TryReadAsync(vault, id, entry, cancellationToken).ConfigureAwait(false) is { } point) points.Add(point);
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                vault.TellOfUnreadable(id, error);
            }
        }

        points.Sort(RestorePoint.CompareAge);
        return points;
    }

    /// <summary>Finds the point that a person means.</summary>
    /// <param name="points">All points, oldest first.</param>
    /// <param name="text">
    /// An id or an unambiguous beginning of one, <c>latest</c>, <c>latest:HOST:PATH</c> or <c>latest:HOST</c>.
    /// </param>
    public static RestorePoint Find(IReadOnlyList<RestorePoint> points, string text)
    {
        ArgumentNullException.ThrowIfNull(points);
        ArgumentNullException.ThrowIfNull(text);
        if (text.Equals("latest", StringComparison.Ordinal) || text.StartsWith("latest:", StringComparison.Ordinal)) return Latest(points, text);
        RestorePoint? found = null;
        foreach (RestorePoint point in points)
        {
            if (text.Length == 0 || !point.Id.ToString().StartsWith(text, StringComparison.OrdinalIgnoreCase)) continue;
            if (found is not null) throw new HoldfastException(ErrorKind.Usage, $"restore point {text}: several begin so", "write more of the id");
            found = point;
        }

        return found ?? throw new HoldfastException(ErrorKind.Usage, $"restore point {text}: there is none", "see \"holdfast points\"");
    }

    /// <summary>The newest point not after a time.</summary>
    public static RestorePoint FindAt(IReadOnlyList<RestorePoint> points, DateTimeOffset time)
    {
        ArgumentNullException.ThrowIfNull(points);
        return points.LastOrDefault(point => point.EffectiveTime <= time)
            ?? throw new HoldfastException(ErrorKind.Usage, $"no restore point is as old as {time:yyyy-MM-dd HH:mm:ss zzz}", "see \"holdfast points\"");
    }

    /// <summary>The changes that a point recorded against its base; of a full none.</summary>
    public static IAsyncEnumerable<TreeChange> ReadChangesAsync(OpenVault vault, RestorePoint point, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(point);
        return vault.Trees.ReadChangesAsync(point.Changes, cancellationToken);
    }

    /// <summary>Reads and verifies a point; null when it is gone, or a prune took its session for dead before it made one.</summary>
    internal static async Task<RestorePoint?> TryReadAsync(OpenVault vault, SessionId id, ObjectEntry entry, CancellationToken cancellationToken)
    {
        string name = PointCodec.Name(id);
        if (entry.Length > PointCodec.MaxBytes)
        {
            throw new DamageException(name, $"{entry.Length} bytes, at most {PointCodec.MaxBytes} expected");
        }

        byte[]? content = await vault.Store.TryGetAsync(name, PointCodec.MaxBytes, cancellationToken).ConfigureAwait(false);
        if (content is null) return null;
        (ObjectHeader header, byte[] body) = vault.Sealer.Open(ObjectKind.Point, name, content);
        // A prune took the session for dead before it made a point.
        if (body.Length == 0) return null;
        KnownWriter writer = vault.Sealer.Writers.Find(header.WriterId)!;
        string says = $"written by {WriterStatement.IdText(writer.Id)}";
        if (!RoleRules.Allows(writer.Role, VaultUse.Backup)) throw new DamageException(name, $"{says}, a key of the role {RoleRules.NameOf(writer.Role)}, which may not");
        if (!writer.HasPoint(id)) throw new DamageException(name, $"{says} after that key was revoked");
        return PointCodec.Decode(body, id, entry.Stored, writer.Role == KeyRole.Admin) with { WriterId = writer.Id };
    }

    private static RestorePoint Latest(IReadOnlyList<RestorePoint> points, string text)
    {
        string[] parts = text.Split(':', 3);
        byte[]? path = parts.Length > 2 ? Files.SurrogateEscape.Encode(parts[2]) : null;
        for (int i = points.Count - 1; i >= 0; i--)
        {
            RestorePoint point = points[i];
            if (parts.Length > 1 && !string.Equals(point.Host, parts[1], StringComparison.Ordinal)) continue;
            if (path is not null && !point.Roots.Any(root => root.Span.SequenceEqual(path))) continue;
            return point;
        }

        throw new HoldfastException(ErrorKind.Usage, $"restore point {text}: there is none", "see \"holdfast points\"");
    }
}
