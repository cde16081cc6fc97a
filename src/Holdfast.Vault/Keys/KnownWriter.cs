namespace Holdfast.Vault.Keys;

/// <summary>A writer whose signature can be verified.</summary>
internal sealed class KnownWriter
{
    private readonly HashSet<SessionId> standing = [];

    public required ulong Id { get; init; }

    /// <summary>Ed25519.</summary>
    public required byte[] PublicKey { get; init; }

    public required KeyRole Role { get; init; }

    public string Label { get; init; } = "";

    /// <summary>X25519, for new epochs; null where no certificate tells.</summary>
    public byte[]? ReceivingKey { get; init; }

    /// <summary>The newest epoch that its ring was made with.</summary>
    public uint Epoch { get; init; }

    /// <summary>Whether the first admin says so; else it is the first admin, or ourselves.</summary>
    public bool IsCertified => ReceivingKey is not null;

    public bool IsRevoked { get; private set; }

    /// <summary>When it was revoked, by the admin's clock; seconds since 1970.</summary>
    public long RevokedSeconds { get; private set; }

    private uint MarksBelow { get; set; }

    private uint RemovalsBelow { get; set; }

    /// <summary>As messages name it: id and label.</summary>
    public string Shown => Label.Length > 0 ? $"{WriterStatement.IdText(Id)} ({Label})" : WriterStatement.IdText(Id);

    public void Revoke(WriterRevocation revocation)
    {
        IsRevoked = true;
        RevokedSeconds = revocation.Seconds;
        standing.UnionWith(revocation.Points);
        MarksBelow = Math.Max(MarksBelow, revocation.MarksBelow);
        RemovalsBelow = Math.Max(RemovalsBelow, revocation.RemovalsBelow);
    }

    /// <summary>Whether a point that it signed counts: any, but of a revoked writer those that the revocation names.</summary>
    public bool HasPoint(SessionId point) => !IsRevoked || standing.Contains(point);

    /// <summary>Whether a mark of that number counts, so far as that it came before the writer was revoked.</summary>
    public bool HasMark(uint number) => !IsRevoked || number < MarksBelow;

    /// <summary>The same of a removal.</summary>
    public bool HasRemoval(uint number) => !IsRevoked || number < RemovalsBelow;
}
