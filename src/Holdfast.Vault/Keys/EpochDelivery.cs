using System.Security.Cryptography;
using Holdfast.Log;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Keys;

/// <summary>
/// Keys of a new epoch for those who are to have them, each sealed to its receiver: the objects <c>epochs/NUMBER</c> and
/// <c>epochs/NUMBER-RANDOM</c>. Layout: docs/formats/vault.md, "Epochs".
/// </summary>
internal sealed class EpochDelivery
{
    public const string Prefix = "epochs/";
    public const int MaxBytes = 1 << 20;

    private const int NumberDigits = ObjectNumber.Digits;
    private const int RandomDigits = 16;
    private readonly Dictionary<ulong, byte[]> boxes = [];

    public EpochDelivery(uint number) => Number = number;

    /// <summary>The epoch.</summary>
    public uint Number { get; }

    /// <summary>Who gets it.</summary>
    public IReadOnlyCollection<ulong> Receivers => boxes.Keys;

    /// <summary>The one object that makes the epoch; of two who begin one at once, one puts it.</summary>
    public static string Name(uint number) => Prefix + ObjectNumber.Text(number);

    /// <summary>A name for what is delivered later.</summary>
    public static string LaterName(uint number, IEntropy entropy)
    {
        Span<byte> drawn = stackalloc byte[RandomDigits / 2];
        entropy.Fill(drawn);
        return $"{Name(number)}-{Convert.ToHexStringLower(drawn)}";
    }

    /// <summary>The highest number names no epoch, so that each has a next one.</summary>
    public static bool TryParseName(string name, out uint number)
    {
        ReadOnlySpan<char> rest = name.AsSpan(Prefix.Length);
        if (rest.Length == NumberDigits + 1 + RandomDigits && rest[NumberDigits] == '-' && !rest[(NumberDigits + 1)..].ContainsAnyExcept(SessionId.HexDigits))
        {
            rest = rest[..NumberDigits];
        }

        return ObjectNumber.TryParse(rest, out number);
    }

    /// <summary>Adds a receiver.</summary>
    /// <param name="writerId">Who.</param>
    /// <param name="receivingKey">X25519.</param>
    /// <param name="keys">What it is to have.</param>
    public void Add(ulong writerId, ReadOnlySpan<byte> receivingKey, KeyEpoch keys)
    {
        var content = new ByteWriter(256);
        keys.Encode(content);
        byte[] box = new byte[content.Length + Libsodium.SealOverheadBytes];
        Libsodium.BoxSeal(content.Written, receivingKey, box);
        content.Wipe();
        boxes[writerId] = box;
    }

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.U32(Number);
        writer.Varint((ulong)boxes.Count);
        foreach ((ulong receiver, byte[] box) in boxes)
        {
            writer.U64(receiver);
            writer.ByteString(box);
        }

        return writer.ToArray();
    }

    public static EpochDelivery Decode(ReadOnlySpan<byte> body, string name)
    {
        var reader = new ByteReader(body, name);
        var delivery = new EpochDelivery(reader.U32());
        if (!TryParseName(name, out uint number) || number != delivery.Number) throw reader.Damage($"holds epoch {delivery.Number}");
        for (int left = reader.Count(sizeof(ulong) + 1, "receivers"); left > 0; left--)
        {
            if (!delivery.boxes.TryAdd(reader.U64(), reader.ByteString().ToArray())) throw reader.Damage("a receiver twice");
        }

        reader.ExpectEnd();
        return delivery;
    }

    /// <summary>What a ring's writer gets; null when nothing is for it.</summary>
    public KeyEpoch? TryOpen(KeyRing ring, ulong writerId, string name)
    {
        if (!boxes.TryGetValue(writerId, out byte[]? box)) return null;
        if (box.Length < Libsodium.SealOverheadBytes) throw new DamageException(name, "a box too short for a key");
        byte[] content = new byte[box.Length - Libsodium.SealOverheadBytes];
        byte[] privateKey = ring.ReceivingPrivateKey();
        try
        {
            if (!Libsodium.TryBoxOpen(box, Libsodium.BoxPublicKey(privateKey), privateKey, content)) throw new DamageException(name, "what is sealed to this key cannot be opened");
            var reader = new ByteReader(content, name);
            var epoch = KeyEpoch.Decode(ref reader);
            reader.ExpectEnd();
            return epoch.Number == Number ? epoch : throw new DamageException(name, $"delivers epoch {epoch.Number}");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
            CryptographicOperations.ZeroMemory(privateKey);
        }
    }
}
