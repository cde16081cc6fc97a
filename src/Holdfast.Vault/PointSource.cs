namespace Holdfast.Vault;

/// <summary>What restore points are made of: some roots of one machine. Two are equal when host and roots are, byte by byte.</summary>
public sealed class PointSource : IEquatable<PointSource>
{
    /// <summary>A source.</summary>
    /// <param name="host">The machine.</param>
    /// <param name="roots">Absolute paths, in the order of their bytes.</param>
    public PointSource(string host, IReadOnlyList<ReadOnlyMemory<byte>> roots)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(roots);
        Host = host;
        Roots = roots;
    }

    /// <summary>The machine.</summary>
    public string Host { get; }

    /// <summary>Absolute paths of its roots, in the order of their bytes.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Roots { get; }

    /// <inheritdoc/>
    public bool Equals(PointSource? other)
    {
        if (other is null || !string.Equals(Host, other.Host, StringComparison.Ordinal) || Roots.Count != other.Roots.Count) return false;
        for (int i = 0; i < Roots.Count; i++)
        {
            if (!Roots[i].Span.SequenceEqual(other.Roots[i].Span)) return false;
        }

        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as PointSource);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(Host, StringComparer.Ordinal);
        foreach (ReadOnlyMemory<byte> root in Roots) hash.AddBytes(root.Span);
        return hash.ToHashCode();
    }
}
