using System.Text;
using Holdfast.Log;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Keys;

/// <summary>What a key may do. The value is on disk.</summary>
internal enum KeyRole : byte
{
    Invalid = 0,
    Admin = 1,
    Add = 2,
    List = 3,
    Restore = 4,
    Prune = 5,
}

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

    /// <summary>The same keys under another label.</summary>
    public KeyRing WithLabel(string label, DateTimeOffset now) => new()
    {
        Role = Role,
        CreatedSeconds = now.ToUnixTimeSeconds(),
        Label = label,
        Epochs = Epochs,
        WriterSeed = WriterSeed,
        AdminPublicKey = AdminPublicKey,
    };

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
        foreach (KeyEpoch epoch in Epochs)
        {
            ReadOnlySpan<byte[]?> keys =
                [epoch.Identity, epoch.Index, epoch.TreesPublic, epoch.TreesPrivate, epoch.DataPublic, epoch.DataPrivate];
            ushort mask = 0;
            for (int i = 0; i < keys.Length; i++)
            {
                if (keys[i] is not null) mask |= (ushort)(1 << i);
            }

            writer.U32(epoch.Number);
            writer.U16(mask);
            foreach (byte[]? key in keys) writer.Bytes(key);
        }

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
        byte[]?[] keys = new byte[6][];
        for (int e = 0; e < epochs.Length; e++)
        {
            uint number = reader.U32();
            ushort mask = reader.U16();
            for (int i = 0; i < keys.Length; i++) keys[i] = (mask & (1 << i)) != 0 ? reader.Bytes(32).ToArray() : null;
            epochs[e] = new KeyEpoch
            {
                Number = number,
                Identity = keys[0],
                Index = keys[1],
                TreesPublic = keys[2],
                TreesPrivate = keys[3],
                DataPublic = keys[4],
                DataPrivate = keys[5],
            };
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

    public override string ToString() => "(keys)";
}
