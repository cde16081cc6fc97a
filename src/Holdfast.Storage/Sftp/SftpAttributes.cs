namespace Holdfast.Storage.Sftp;

/// <summary>What a server says about a file (draft-ietf-secsh-filexfer-02 §5).</summary>
/// <param name="Bytes">Its length.</param>
/// <param name="Mode">Kind and permissions as Linux has them; 0 when the server does not say.</param>
/// <param name="Modified">Seconds since 1970.</param>
internal readonly record struct SftpAttributes(long Bytes, uint Mode, uint Modified)
{
    /// <summary>The mark that permissions follow.</summary>
    public const uint HasPermissions = 4;

    private const uint HasBytes = 1;
    private const uint HasOwner = 2;
    private const uint HasTimes = 8;
    private const uint HasMore = 0x80000000;

    private const uint KindMask = 0xF000;
    private const uint DirectoryKind = 0x4000;
    private const uint FileKind = 0x8000;
    private const uint LinkKind = 0xA000;

    public bool IsDirectory => (Mode & KindMask) == DirectoryKind;

    public bool IsFile => (Mode & KindMask) == FileKind;

    public bool IsLink => (Mode & KindMask) == LinkKind;

    /// <summary>Reads them and goes behind them.</summary>
    public static SftpAttributes Decode(ref SftpReader reader)
    {
        uint marks = reader.UInt32();
        long bytes = (marks & HasBytes) == 0 ? 0 : (long)Math.Min(reader.UInt64(), long.MaxValue);
        if ((marks & HasOwner) != 0) reader.Skip(2 * sizeof(uint));
        uint mode = (marks & HasPermissions) == 0 ? 0 : reader.UInt32();
        uint modified = 0;
        if ((marks & HasTimes) != 0)
        {
            reader.Skip(sizeof(uint));
            modified = reader.UInt32();
        }

        if ((marks & HasMore) != 0)
        {
            for (uint left = reader.UInt32(); left > 0; left--)
            {
                reader.Text();
                reader.Text();
            }
        }

        return new SftpAttributes(bytes, mode, modified);
    }
}
