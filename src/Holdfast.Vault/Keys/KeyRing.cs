using System.Security.Cryptography;
using System.Text;
using Holdfast.Log;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Keys;

/// <summary>The keys that one password opens. Layout: docs/formats/vault.md, "Keys".</summary>
internal sealed class KeyRing
{
    /// <summary>Longest label, in bytes of UTF-8.</summary>
    public const int MaxLabelBytes = 255;

    private const byte Version = 1;

    public required KeyRole Role { get; init; }

    public required long CreatedSeconds { get; init; }

    public required string Label { get; init; }

    /// <summary>Ascending by number; the last is the current one.</summary>
    public required IReadOnlyList<KeyEpoch> Epochs { get; init; }

    /// <summary>Ed25519 seed: signs what this client writes.</summary>
    public required byte[] WriterSeed { get; init; }

    /// <summary>Ed25519: whose signature is trusted beside our own.</summary>
    public required byte[] AdminPublicKey { get; init; }

    public KeyEpoch Current => Epochs[^1];

    public static KeyRing CreateAdmin(IEntropy entropy, DateTimeOffset now, string label)
    {
        byte[] seed = new byte[Libsodium.SeedBytes];
        entropy.Fill(seed);
        return new KeyRing
        {
            Role = KeyRole.Admin,
            CreatedSeconds = now.ToUnixTimeSeconds(),
            Label = label,
            Epochs = [KeyEpoch.Create(1, entropy)],
            WriterSeed = seed,
            AdminPublicKey = Libsodium.SignPublicKey(seed),
        };
    }

    /// <summary>Whether this is the first admin's ring: the one that signs what is said of writers and epochs.</summary>
    public bool IsOfFirstAdmin => Libsodium.SignPublicKey(WriterSeed).AsSpan().SequenceEqual(AdminPublicKey);

    /// <summary>The same keys under another label.</summary>
    public KeyRing WithLabel(string label, DateTimeOffset now) => With(Role, label, now, Epochs, WriterSeed);

    /// <summary>The same with further epochs, in the order of their numbers; of two of one number the one that was there.</summary>
    public KeyRing WithEpochs(IEnumerable<KeyEpoch> further) => new()
    {
        Role = Role,
        CreatedSeconds = CreatedSeconds,
        Label = Label,
        Epochs = [.. Epochs.Concat(further).DistinctBy(static epoch => epoch.Number).OrderBy(static epoch => epoch.Number)],
        WriterSeed = WriterSeed,
        AdminPublicKey = AdminPublicKey,
    };

    /// <summary>A ring for somebody else: what of these keys a role has, and a writer of its own.</summary>
    public KeyRing NewMember(KeyRole role, string label, IEntropy entropy, DateTimeOffset now)
    {
        byte[] seed = new byte[Libsodium.SeedBytes];
        entropy.Fill(seed);
        return With(role, label, now, [.. Epochs.Select(epoch => epoch.For(role))], seed);
    }

    /// <summary>The keys of what lies on this machine of a vault: docs/formats/state.md.</summary>
    public KeyRing OfLocalState(byte[] vaultId)
    {
        byte[] seed = Derive("local state writer"), trees = Derive("local state trees"), data = Derive("local state data");
        return new KeyRing
        {
            Role = KeyRole.Admin,
            CreatedSeconds = CreatedSeconds,
            Label = "",
            Epochs =
            [
                new KeyEpoch
                {
                    Number = 1,
                    Identity = Current.Identity,
                    Index = Derive("local state index"),
                    TreesPrivate = trees,
                    TreesPublic = Libsodium.BoxPublicKey(trees),
                    DataPrivate = data,
                    DataPublic = Libsodium.BoxPublicKey(data),
                },
            ],
            WriterSeed = seed,
            AdminPublicKey = Libsodium.SignPublicKey(seed),
        };

        byte[] Derive(string info) => HKDF.DeriveKey(HashAlgorithmName.SHA256, WriterSeed, KeyEpoch.KeyBytes, vaultId, Encoding.ASCII.GetBytes(info));
    }

    /// <summary>The X25519 key that new epochs are delivered to.</summary>
    public byte[] ReceivingPrivateKey() => HKDF.DeriveKey(HashAlgorithmName.SHA256, WriterSeed, KeyEpoch.KeyBytes, [], "receive"u8.ToArray());

    /// <summary>An epoch for each identity key that the ring has, oldest first.</summary>
    public IEnumerable<KeyEpoch> Identities() =>
        Epochs.Where(static epoch => epoch.Identity is not null).DistinctBy(static epoch => Convert.ToHexString(epoch.Identity!));

    /// <summary>Whether keys of packs of a kind can be opened that are sealed in an epoch.</summary>
    public bool CanOpen(uint epoch, ObjectKind packKind)
    {
        foreach (KeyEpoch known in Epochs)
        {
            if (known.Number == epoch) return known.CanOpenPacks(packKind);
        }

        return false;
    }

    public bool Has(uint epoch) => Epochs.Any(known => known.Number == epoch);

    public KeyEpoch Epoch(uint number, string name)
    {
        foreach (KeyEpoch epoch in Epochs)
        {
            if (epoch.Number == number) return epoch;
        }

        // Of one object: it must not keep anybody from the others.
        throw new DamageException(name, $"sealed in key epoch {number}, which this key does not have") { DependsOnKey = true };
    }

    public byte[] Encode()
    {
        // Large enough never to grow: what it leaves behind is cleared.
        var writer = new ByteWriter(512 + (Epochs.Count * 256));
        writer.U8(Version);
        writer.U8((byte)Role);
        writer.U64((ulong)CreatedSeconds);
        byte[] label = Encoding.UTF8.GetBytes(Label);
        if (label.Length > MaxLabelBytes)
        {
            throw new HoldfastException(ErrorKind.Usage, $"key label: {label.Length} bytes, at most {MaxLabelBytes} allowed", "choose a shorter one");
        }

        writer.U16((ushort)label.Length);
        writer.Bytes(label);
        writer.U16((ushort)Epochs.Count);
        foreach (KeyEpoch epoch in Epochs) epoch.Encode(writer);

        writer.Bytes(WriterSeed);
        writer.Bytes(AdminPublicKey);
        byte[] encoded = writer.ToArray();
        writer.Wipe();
        return encoded;
    }

    public static KeyRing Decode(ReadOnlySpan<byte> source, string name)
    {
        var reader = new ByteReader(source, name);
        byte version = reader.U8();
        if (version != Version)
        {
            throw new HoldfastException(ErrorKind.Failed, $"{name}: key ring version {version}, this program reads {Version}", "use a newer holdfast");
        }

        var role = (KeyRole)reader.U8();
        if (role is KeyRole.Invalid or > KeyRole.Prune) throw reader.Damage($"role {(byte)role}");
        long created = (long)reader.U64();
        string label = Encoding.UTF8.GetString(reader.Bytes(reader.U16()));
        var epochs = new KeyEpoch[reader.U16()];
        if (epochs.Length == 0) throw reader.Damage("no key epoch");
        for (int e = 0; e < epochs.Length; e++)
        {
            epochs[e] = KeyEpoch.Decode(ref reader);
            if (e > 0 && epochs[e].Number <= epochs[e - 1].Number) throw reader.Damage($"key epoch {epochs[e].Number} is out of order");
        }

        var ring = new KeyRing
        {
            Role = role,
            CreatedSeconds = created,
            Label = label,
            Epochs = epochs,
            WriterSeed = reader.Bytes(Libsodium.SeedBytes).ToArray(),
            AdminPublicKey = reader.Bytes(Libsodium.PublicKeyBytes).ToArray(),
        };
        reader.ExpectEnd();
        return ring;
    }

    private KeyRing With(KeyRole role, string label, DateTimeOffset now, IReadOnlyList<KeyEpoch> epochs, byte[] writerSeed) => new()
    {
        Role = role,
        CreatedSeconds = now.ToUnixTimeSeconds(),
        Label = label,
        Epochs = epochs,
        WriterSeed = writerSeed,
        AdminPublicKey = AdminPublicKey,
    };

    public override string ToString() => "(keys)";
}
