namespace Holdfast.Vault;

/// <summary>
/// What restore points are made of: some roots of one machine, equal when host and roots are, byte by byte; or a database, equal to one with the
/// same engine and id, wherever it lies.
/// </summary>
public sealed class PointSource : IEquatable<PointSource>
{
    /// <summary>A source.</summary>
    /// <param name="host">The machine.</param>
    /// <param name="roots">Absolute paths, in the order of their bytes.</param>
    /// <param name="database">The database; null for files.</param>
    public PointSource(string host, IReadOnlyList<ReadOnlyMemory<byte>> roots, PointDatabase? database = null)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(roots);
        Host = host;
        Roots = roots;
        Engine = database?.Engine;
        DatabaseId = database?.Id;
    }

    /// <summary>The machine.</summary>
    public string Host { get; }

    /// <summary>Absolute paths of its roots, in the order of their bytes.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Roots { get; }

    /// <summary>The engine of a database; null for files.</summary>
    public string? Engine { get; }

    /// <summary>The database's own id; null for files, and for a database that has none.</summary>
    public string? DatabaseId { get; }

    /// <inheritdoc/>
    public bool Equals(PointSource? other)
    {
        if (other is null || Engine != other.Engine || DatabaseId != other.DatabaseId) return false;
        return DatabaseId is not null || (string.Equals(Host, other.Host, StringComparison.Ordinal) && HasRootsOf(other));
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as PointSource);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        if (DatabaseId is not null) return HashCode.Combine(Engine, DatabaseId);
        var hash = default(HashCode);
        hash.Add(Host, StringComparer.Ordinal);
        foreach (ReadOnlyMemory<byte> root in Roots) hash.AddBytes(root.Span);
        return hash.ToHashCode();
    }

    /// <summary>Whether its roots are the same, byte by byte.</summary>
    internal bool HasRootsOf(PointSource other)
    {
        if (Roots.Count != other.Roots.Count) return false;
        for (int i = 0; i < Roots.Count; i++)
        {
            if (!Roots[i].Span.SequenceEqual(other.Roots[i].Span)) return false;
        }

        return true;
    }
}
